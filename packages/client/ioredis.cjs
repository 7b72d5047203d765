// What require() gets is the class itself, as with ioredis; everything else is a property of it.
module.exports = require('#ioredis').Redis;
module.exports.default = module.exports;
