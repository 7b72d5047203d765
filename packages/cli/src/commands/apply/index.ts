export { register } from './apply.js';
