export { register } from './restart.js';
