/** @module redkeep */
export * from '../../packages/client/dist/index.js';
