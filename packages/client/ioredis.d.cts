export * from './cjs/ioredis/index.js';
export { default } from './cjs/ioredis/index.js';
