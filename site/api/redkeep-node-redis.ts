/** @module redkeep/node-redis */
export * from '../../packages/client/dist/node-redis/index.js';
