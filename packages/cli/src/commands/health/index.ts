export { register } from './health.js';
