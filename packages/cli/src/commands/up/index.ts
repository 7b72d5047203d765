export { register } from './up.js';
