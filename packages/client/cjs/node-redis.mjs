// As index.mjs, for `redkeep/node-redis`.
export * from './node-redis/index.js';
