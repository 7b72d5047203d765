// For `import` on Node without require(esm): the same instance that `require` gets, so that there is only one.
import namespace from './ioredis/index.js';

export * from './ioredis/index.js';
export default namespace.Redis;
