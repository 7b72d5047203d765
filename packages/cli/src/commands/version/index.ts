export { register } from './version.js';
