import { listOf, type Redis, textOf } from '../redis/redis.js';

/** One value as it is stored: of a string, or of a field of a hash. */
export interface StoredValue {
  readonly field: string | undefined;
  readonly value: Buffer;
}

/** What is kept under a key that may hold sealed values; nothing for other types and for what is gone meanwhile. */
export async function* valuesOf(redis: Redis, key: string): AsyncGenerator<StoredValue> {
  const type = textOf(await redis.read(key, 'TYPE'));
  if (type === 'string') {
    const value = await redis.read(key, 'GET');
    if (Buffer.isBuffer(value)) yield { field: undefined, value };
  } else if (type === 'hash') {
    for (const name of listOf(await redis.read(key, 'HKEYS'))) {
      const field = textOf(name)!;
      const value = await redis.read(key, 'HGET', field);
      if (Buffer.isBuffer(value)) yield { field, value };
    }
  }
}
