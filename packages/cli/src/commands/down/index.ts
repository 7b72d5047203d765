export { register } from './down.js';
