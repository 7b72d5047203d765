export { register } from './init.js';
