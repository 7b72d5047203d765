/** `redkeep/ioredis`: for applications and packages written for ioredis. Exports only. */
export * from './exports.js';
export { Redis as default } from './exports.js';
