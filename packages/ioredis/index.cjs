module.exports = require('redkeep/ioredis');
module.exports.default = module.exports;
