import { type Engine, knows, type Since } from '../vocabulary/engines.js';

const redisLike: Since = { redis: '6.2', valkey: '7.2' };
const redis7: Since = { redis: '7.0', valkey: '7.2' };

/** Directives that not every supported Redis or Valkey knows; the rest of redis.conf is known since Redis 6.2. */
const newer: Readonly<Record<string, Since>> = {
  'enable-debug-command': redis7,
  'enable-module-command': redis7,
  'enable-protected-configs': redis7,
  'maxmemory-clients': redis7,
  'aof-timestamp-enabled': redis7,
  'busy-reply-threshold': redis7,
  'cluster-port': redis7,
  'cluster-announce-hostname': redis7,
  'cluster-preferred-endpoint-type': redis7,
  'shutdown-timeout': redis7,
  'hide-user-data-from-log': { redis: '8.0', valkey: '8.0' },
  'tls-auto-reload-interval': { valkey: '9.1' },
};

export function knowsDirective(engine: Engine, directive: string): boolean {
  return knows(engine, newer[directive] ?? redisLike);
}
