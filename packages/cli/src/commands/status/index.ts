export { register } from './status.js';
