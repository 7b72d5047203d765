export { register } from './audit.js';
