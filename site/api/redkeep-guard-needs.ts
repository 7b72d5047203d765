/** @module @redkeep/guard/needs */
export * from '../../packages/guard/dist/needs.js';
