// Packages reach for these inside ioredis.
exports.CONNECTION_CLOSED_ERROR_MSG = 'Connection is closed.';
