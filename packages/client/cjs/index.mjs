// For `import` on Node without require(esm): the same instance that `require` gets, so that there is only one.
export * from './index.js';
