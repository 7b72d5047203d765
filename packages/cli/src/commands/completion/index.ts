export { register } from './completion.js';
