import type { RedisArgument } from '../protocol/types.js';
import { Command, Flag } from './command.js';

/** The same command on prefixed keys. */
export function prefixKeys<T>(command: Command<T>, prefix: RedisArgument): Command<T> {
  if ((command.spec.flags & Flag.CHANNELS) !== 0) return command;
  const args = command.args.slice();
  for (const position of command.spec.keys(args)) {
    const key = args[position];
    if (typeof key === 'string' || Buffer.isBuffer(key)) args[position] = prefixKey(key, prefix);
  }
  return new Command<T>(command.spec, args, command.preserve);
}

export function prefixKey(key: RedisArgument, prefix: RedisArgument | undefined): RedisArgument {
  if (prefix === undefined) return key;
  if (typeof key === 'string' && typeof prefix === 'string') return prefix + key;
  return Buffer.concat([Buffer.from(prefix), Buffer.from(key)]);
}
