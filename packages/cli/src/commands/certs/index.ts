export { register } from './certs.js';
