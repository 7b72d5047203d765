export { register } from './migrate.js';
