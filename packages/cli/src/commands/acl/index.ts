export { register } from './acl.js';
