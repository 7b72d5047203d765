/** @module redkeep/ioredis */
export * from '../../packages/client/dist/ioredis/index.js';
