export { register } from './doctor.js';
