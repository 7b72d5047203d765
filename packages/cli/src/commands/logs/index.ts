export { register } from './logs.js';
