/** Calls of commands whose arguments have a form of their own: `KEY` stands for a key, `CHANNEL` for a channel. */
const forms: Readonly<Record<string, string>> = {
  xread: 'STREAMS KEY 0',
  xreadgroup: 'GROUP g c STREAMS KEY >',
  eval: 'return 0',
  eval_ro: 'return 0',
  evalsha: 'x 0',
  evalsha_ro: 'x 0',
  fcall: 'f 0',
  fcall_ro: 'f 0',
  sort: 'KEY',
  sort_ro: 'KEY',
  migrate: 'h 1 KEY 0 1',
  set: 'KEY v',
  bitfield: 'KEY GET u8 0',
  georadius: 'KEY 0 0 1 m',
  georadiusbymember: 'KEY m 1 m',
  zunionstore: 'KEY 1 KEY',
  zinterstore: 'KEY 1 KEY',
  zdiffstore: 'KEY 1 KEY',
  zunion: '1 KEY',
  zinter: '1 KEY',
  zdiff: '1 KEY',
  zintercard: '1 KEY',
  sintercard: '1 KEY',
  lmpop: '1 KEY LEFT',
  zmpop: '1 KEY MIN',
  blmpop: '0 1 KEY LEFT',
  bzmpop: '0 1 KEY MIN',
  blpop: 'KEY 0',
  brpop: 'KEY 0',
  bzpopmin: 'KEY 0',
  bzpopmax: 'KEY 0',
  bitop: 'AND KEY KEY',
  publish: 'CHANNEL m',
  spublish: 'CHANNEL m',
  subscribe: 'CHANNEL',
  ssubscribe: 'CHANNEL',
  psubscribe: 'CHANNEL',
  'object|freq': 'KEY',
  'memory|usage': 'KEY',
  copy: 'KEY KEY',
  rename: 'KEY KEY',
  renamenx: 'KEY KEY',
  smove: 'KEY KEY m',
  lmove: 'KEY KEY LEFT LEFT',
  blmove: 'KEY KEY LEFT LEFT 0',
  rpoplpush: 'KEY KEY',
  brpoplpush: 'KEY KEY 0',
  geosearchstore: 'KEY KEY FROMMEMBER m BYRADIUS 1 m ASC',
  zrangestore: 'KEY KEY 0 1',
  sdiffstore: 'KEY KEY',
  sinterstore: 'KEY KEY',
  sunionstore: 'KEY KEY',
  pfmerge: 'KEY KEY',
  lcs: 'KEY KEY',
  mset: 'KEY v',
  msetnx: 'KEY v',
  msetex: '1 KEY v',
  pfdebug: 'ENCODING KEY',
  'xgroup|create': 'KEY g 0',
  delifeq: 'KEY v',
};

/**
 * A call of a command for the oracle: its words, then its arguments with places for keys. `first` becomes the first
 * argument of commands without keys, for rules such as `+select|0`.
 */
export function formOf(name: string, arity: number, keys: number, first: string): string[] {
  const words = name.toUpperCase().split('|');
  const known = forms[name];
  if (known !== undefined) return [...words, ...(known === 'return 0' ? ['return 1', '0'] : known.split(' '))];
  if (keys > 0) return [...words, 'KEY', ...Array.from({ length: Math.max(0, arity - words.length - 1) }, () => '1')];
  return [...words, ...[first, '1', '1', '1', '1', '1', '1'].slice(0, Math.max(arity - words.length, 0))];
}
