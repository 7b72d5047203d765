/** Which commands may be answered from a client-side cache, and under which key. */
import { type Command, Flag } from '../commands/command.js';
import type { TypeMapping } from '../protocol/types.js';

/** Reads whose answer changes without their key being touched, or differs from call to call. */
const NOT_CACHEABLE = new Set([
  'DUMP',
  'EXPIRETIME',
  'HEXPIRETIME',
  'HPEXPIRETIME',
  'HPTTL',
  'HRANDFIELD',
  'HSCAN',
  'HTTL',
  'MEMORY USAGE',
  'OBJECT ENCODING',
  'OBJECT FREQ',
  'OBJECT IDLETIME',
  'OBJECT REFCOUNT',
  'PEXPIRETIME',
  'PTTL',
  'SRANDMEMBER',
  'SSCAN',
  'TOUCH',
  'TTL',
  'XINFO CONSUMERS',
  'XINFO GROUPS',
  'XINFO STREAM',
  'XPENDING',
  'XREAD',
  'ZRANDMEMBER',
  'ZSCAN',
]);

/** The keys that a cached answer depends on; undefined when the command must go to the server. */
export function cacheableKeys(command: Command): readonly string[] | undefined {
  const { spec, args } = command;
  if ((spec.flags & Flag.READONLY) === 0 || (spec.flags & Flag.BLOCKING) !== 0 || NOT_CACHEABLE.has(spec.name))
    return undefined;
  const positions = spec.keys(args);
  return positions.length === 0 ? undefined : positions.map((position) => String(args[position]));
}

/** Lengths stand before the words, so that no argument can imitate another command. */
export function cacheKey(command: Command, mapping: TypeMapping | undefined): string {
  let key = `${command.spec.head}${mappingKey(mapping)}`;
  for (const arg of command.args) {
    const text = Buffer.isBuffer(arg) ? arg.toString('latin1') : String(arg);
    key += `${Buffer.isBuffer(arg) ? 'b' : ''}${text.length}:${text}`;
  }
  return key;
}

function mappingKey(mapping: TypeMapping | undefined): string {
  if (mapping === undefined) return '';
  return Object.entries(mapping)
    .map(([type, target]) => `${type}=${(target as { name: string } | undefined)?.name}`)
    .join();
}
