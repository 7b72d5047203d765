export { register } from './bundle.js';
