/** @module @redkeep/guard */
export * from '../../packages/guard/dist/index.js';
