export { register } from './man.js';
