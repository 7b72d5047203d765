export { register } from './cli.js';
