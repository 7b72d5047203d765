/**
 * Types of the commands, under ioredis's names so that applications' own augmentations of `RedisCommander` go on
 * working. One line a command: its arguments and its reply; the callback and the `Buffer` variant follow from these.
 */
import type { Callback } from './commander.js';
import type { PairResult } from './pipeline.js';

export type RedisKey = string | Buffer;
export type RedisValue = string | Buffer | number;

export type ClientContext = { type: keyof ResultTypes<unknown, unknown> };
// biome-ignore lint/correctness/noUnusedVariables: augmentations merge with these parameters
export interface ResultTypes<Result, Context> {
  default: Promise<Result>;
  pipeline: ChainableCommander;
}
export type Result<T, Context extends ClientContext> = ResultTypes<T, Context>[Context['type']];

export interface ChainableCommander extends RedisCommander<{ type: 'pipeline' }> {
  readonly length: number;
  addBatch(commands: readonly unknown[][]): this;
  multi(callback?: Callback<'OK'>): ChainableCommander;
  exec(
    callback?: Callback<[error: Error | null, result: unknown][] | null>,
  ): Promise<[error: Error | null, result: unknown][] | null>;
  execBuffer(
    callback?: Callback<[error: Error | null, result: unknown][] | null>,
  ): Promise<[error: Error | null, result: unknown][] | null>;
}
export type { PairResult };

type K = RedisKey;
type V = RedisValue;
/** Several values, in one or more arrays or none. */
type Values = (V | V[])[];
type Keys = (K | K[])[];
type Pairs = object | Map<V, V>;

/** `[arguments, reply]` of each command; `B` is text, or bytes for the `Buffer` variants. */
interface Signatures<B extends string | Buffer> {
  acl: [[subcommand: string | Buffer, ...args: Values], unknown];
  append: [[key: K, value: V], number];
  asking: [[], 'OK'];
  auth: [[...args: (string | Buffer)[]], 'OK'];
  bgrewriteaof: [[], string];
  bgsave: [[schedule?: 'SCHEDULE'], 'OK'];
  bitcount: [[key: K, ...args: V[]], number];
  bitfield: [[key: K, ...args: Values], (number | null)[]];
  bitfield_ro: [[key: K, ...args: Values], number[]];
  bitop: [[operation: string, destkey: K, ...keys: Keys], number];
  bitpos: [[key: K, bit: V, ...args: V[]], number];
  blmove: [[source: K, destination: K, from: 'LEFT' | 'RIGHT', to: 'LEFT' | 'RIGHT', timeout: V], B | null];
  blmpop: [[timeout: V, numkeys: V, ...args: Values], [key: B, members: B[]] | null];
  blpop: [[...args: Values], [key: B, element: B] | null];
  brpop: [[...args: Values], [key: B, element: B] | null];
  brpoplpush: [[source: K, destination: K, timeout: V], B | null];
  bzmpop: [[timeout: V, numkeys: V, ...args: Values], [key: B, members: B[]] | null];
  bzpopmax: [[...args: Values], [key: B, member: B, score: B] | null];
  bzpopmin: [[...args: Values], [key: B, member: B, score: B] | null];
  client: [[subcommand: string | Buffer, ...args: Values], unknown];
  cluster: [[subcommand: string | Buffer, ...args: Values], unknown];
  command: [[...args: Values], unknown];
  config: [[subcommand: string | Buffer, ...args: Values], unknown];
  copy: [[source: K, destination: K, ...args: V[]], number];
  dbsize: [[], number];
  debug: [[subcommand: string | Buffer, ...args: Values], unknown];
  decr: [[key: K], number];
  decrby: [[key: K, decrement: V], number];
  del: [[...keys: Keys], number];
  delex: [[key: K, ...args: V[]], number];
  dump: [[key: K], B];
  echo: [[message: V], B];
  eval: [[script: string | Buffer, numkeys: V, ...args: Values], unknown];
  eval_ro: [[script: string | Buffer, numkeys: V, ...args: Values], unknown];
  evalsha: [[sha1: string | Buffer, numkeys: V, ...args: Values], unknown];
  evalsha_ro: [[sha1: string | Buffer, numkeys: V, ...args: Values], unknown];
  exists: [[...keys: Keys], number];
  expire: [[key: K, seconds: V, condition?: 'NX' | 'XX' | 'GT' | 'LT'], number];
  expireat: [[key: K, timestamp: V, condition?: 'NX' | 'XX' | 'GT' | 'LT'], number];
  expiretime: [[key: K], number];
  failover: [[...args: Values], 'OK'];
  fcall: [[name: string | Buffer, numkeys: V, ...args: Values], unknown];
  fcall_ro: [[name: string | Buffer, numkeys: V, ...args: Values], unknown];
  flushall: [[mode?: 'ASYNC' | 'SYNC'], 'OK'];
  flushdb: [[mode?: 'ASYNC' | 'SYNC'], 'OK'];
  function: [[subcommand: string | Buffer, ...args: Values], unknown];
  geoadd: [[key: K, ...args: Values], number];
  geodist: [[key: K, member1: V, member2: V, unit?: 'M' | 'KM' | 'FT' | 'MI' | 'm' | 'km' | 'ft' | 'mi'], B | null];
  geohash: [[key: K, ...members: Values], (B | null)[]];
  geopos: [[key: K, ...members: Values], ([longitude: B, latitude: B] | null)[]];
  georadius: [[key: K, longitude: V, latitude: V, radius: V, ...args: Values], unknown[]];
  georadius_ro: [[key: K, longitude: V, latitude: V, radius: V, ...args: Values], unknown[]];
  georadiusbymember: [[key: K, member: V, radius: V, ...args: Values], unknown[]];
  georadiusbymember_ro: [[key: K, member: V, radius: V, ...args: Values], unknown[]];
  geosearch: [[key: K, ...args: Values], unknown[]];
  geosearchstore: [[destination: K, source: K, ...args: Values], number];
  get: [[key: K], B | null];
  getbit: [[key: K, offset: V], number];
  getdel: [[key: K], B | null];
  getex: [[key: K, ...args: V[]], B | null];
  getrange: [[key: K, start: V, end: V], B];
  getset: [[key: K, value: V], B | null];
  hdel: [[key: K, ...fields: Values], number];
  hello: [[...args: Values], unknown[]];
  hexists: [[key: K, field: V], number];
  hexpire: [[key: K, seconds: V, ...args: Values], number[]];
  hexpireat: [[key: K, timestamp: V, ...args: Values], number[]];
  hexpiretime: [[key: K, ...args: Values], number[]];
  hget: [[key: K, field: V], B | null];
  hgetall: [[key: K], Record<string, B>];
  hgetdel: [[key: K, ...args: Values], (B | null)[]];
  hgetex: [[key: K, ...args: Values], (B | null)[]];
  hincrby: [[key: K, field: V, increment: V], number];
  hincrbyfloat: [[key: K, field: V, increment: V], B];
  hkeys: [[key: K], B[]];
  hlen: [[key: K], number];
  hmget: [[key: K, ...fields: Values], (B | null)[]];
  hmset: [[key: K, ...pairs: (V | V[] | Pairs)[]], 'OK'];
  hpersist: [[key: K, ...args: Values], number[]];
  hpexpire: [[key: K, milliseconds: V, ...args: Values], number[]];
  hpexpireat: [[key: K, timestamp: V, ...args: Values], number[]];
  hpexpiretime: [[key: K, ...args: Values], number[]];
  hpttl: [[key: K, ...args: Values], number[]];
  hrandfield: [[key: K, ...args: V[]], B | B[] | null];
  hscan: [[key: K, cursor: V, ...args: Values], [cursor: B, elements: B[]]];
  hset: [[key: K, ...pairs: (V | V[] | Pairs)[]], number];
  hsetex: [[key: K, ...args: Values], number];
  hsetnx: [[key: K, field: V, value: V], number];
  hstrlen: [[key: K, field: V], number];
  httl: [[key: K, ...args: Values], number[]];
  hvals: [[key: K], B[]];
  incr: [[key: K], number];
  incrby: [[key: K, increment: V], number];
  incrbyfloat: [[key: K, increment: V], B];
  info: [[...sections: Values], string];
  keys: [[pattern: string | Buffer], B[]];
  lastsave: [[], number];
  latency: [[subcommand: string | Buffer, ...args: Values], unknown];
  lcs: [[key1: K, key2: K, ...args: V[]], unknown];
  lindex: [[key: K, index: V], B | null];
  linsert: [[key: K, where: 'BEFORE' | 'AFTER', pivot: V, element: V], number];
  llen: [[key: K], number];
  lmove: [[source: K, destination: K, from: 'LEFT' | 'RIGHT', to: 'LEFT' | 'RIGHT'], B | null];
  lmpop: [[numkeys: V, ...args: Values], [key: B, members: B[]] | null];
  lolwut: [[...args: V[]], B];
  lpos: [[key: K, element: V, ...args: V[]], number | number[] | null];
  lpush: [[key: K, ...elements: Values], number];
  lpushx: [[key: K, ...elements: Values], number];
  lrange: [[key: K, start: V, stop: V], B[]];
  lrem: [[key: K, count: V, element: V], number];
  lset: [[key: K, index: V, element: V], 'OK'];
  ltrim: [[key: K, start: V, stop: V], 'OK'];
  memory: [[subcommand: string | Buffer, ...args: Values], unknown];
  mget: [[...keys: Keys], (B | null)[]];
  migrate: [[host: V, port: V, ...args: Values], 'OK'];
  module: [[subcommand: string | Buffer, ...args: Values], unknown];
  move: [[key: K, db: V], number];
  mset: [[...pairs: (V | V[] | Pairs)[]], 'OK'];
  msetex: [[numkeys: V, ...args: Values], number];
  msetnx: [[...pairs: (V | V[] | Pairs)[]], number];
  object: [[subcommand: string | Buffer, ...args: Values], unknown];
  persist: [[key: K], number];
  pexpire: [[key: K, milliseconds: V, condition?: 'NX' | 'XX' | 'GT' | 'LT'], number];
  pexpireat: [[key: K, timestamp: V, condition?: 'NX' | 'XX' | 'GT' | 'LT'], number];
  pexpiretime: [[key: K], number];
  pfadd: [[key: K, ...elements: Values], number];
  pfcount: [[...keys: Keys], number];
  pfmerge: [[destkey: K, ...keys: Keys], 'OK'];
  psetex: [[key: K, milliseconds: V, value: V], 'OK'];
  pttl: [[key: K], number];
  publish: [[channel: string | Buffer, message: V], number];
  pubsub: [[subcommand: string | Buffer, ...args: Values], unknown[]];
  randomkey: [[], B | null];
  readonly: [[], 'OK'];
  readwrite: [[], 'OK'];
  rename: [[key: K, newkey: K], 'OK'];
  renamenx: [[key: K, newkey: K], number];
  replicaof: [[host: V, port: V], 'OK'];
  reset: [[], 'RESET'];
  restore: [[key: K, ttl: V, value: V, ...args: V[]], 'OK'];
  role: [[], unknown[]];
  rpoplpush: [[source: K, destination: K], B | null];
  rpush: [[key: K, ...elements: Values], number];
  rpushx: [[key: K, ...elements: Values], number];
  sadd: [[key: K, ...members: Values], number];
  save: [[], 'OK'];
  scan: [[cursor: V, ...args: V[]], [cursor: B, elements: B[]]];
  scard: [[key: K], number];
  script: [[subcommand: string | Buffer, ...args: Values], unknown];
  sdiff: [[...keys: Keys], B[]];
  sdiffstore: [[destination: K, ...keys: Keys], number];
  sentinel: [[subcommand: string | Buffer, ...args: Values], unknown];
  setbit: [[key: K, offset: V, value: V], number];
  setex: [[key: K, seconds: V, value: V], 'OK'];
  setnx: [[key: K, value: V], number];
  setrange: [[key: K, offset: V, value: V], number];
  shutdown: [[...args: V[]], 'OK'];
  sinter: [[...keys: Keys], B[]];
  sintercard: [[numkeys: V, ...args: Values], number];
  sinterstore: [[destination: K, ...keys: Keys], number];
  sismember: [[key: K, member: V], number];
  slaveof: [[host: V, port: V], 'OK'];
  slowlog: [[subcommand: string | Buffer, ...args: Values], unknown];
  smembers: [[key: K], B[]];
  smismember: [[key: K, ...members: Values], number[]];
  smove: [[source: K, destination: K, member: V], number];
  sort: [[key: K, ...args: Values], unknown];
  sort_ro: [[key: K, ...args: Values], unknown];
  spublish: [[channel: string | Buffer, message: V], number];
  srem: [[key: K, ...members: Values], number];
  sscan: [[key: K, cursor: V, ...args: Values], [cursor: B, elements: B[]]];
  strlen: [[key: K], number];
  sunion: [[...keys: Keys], B[]];
  sunionstore: [[destination: K, ...keys: Keys], number];
  swapdb: [[db1: V, db2: V], 'OK'];
  time: [[], number[]];
  touch: [[...keys: Keys], number];
  ttl: [[key: K], number];
  type: [[key: K], string];
  unlink: [[...keys: Keys], number];
  vadd: [[key: K, ...args: Values], number];
  vcard: [[key: K], number];
  vdim: [[key: K], number];
  vemb: [[key: K, element: V, ...args: V[]], unknown[] | null];
  vgetattr: [[key: K, element: V], B | null];
  vrem: [[key: K, element: V], number];
  vsetattr: [[key: K, element: V, attributes: V], number];
  vsim: [[key: K, ...args: Values], B[]];
  wait: [[numreplicas: V, timeout: V], number];
  waitaof: [[numlocal: V, numreplicas: V, timeout: V], number[]];
  xack: [[key: K, group: V, ...ids: Values], number];
  xadd: [[key: K, ...args: Values], B | null];
  xautoclaim: [[key: K, group: V, consumer: V, minIdleTime: V, start: V, ...args: V[]], unknown[]];
  xclaim: [[key: K, group: V, consumer: V, minIdleTime: V, ...args: Values], unknown[]];
  xdel: [[key: K, ...ids: Values], number];
  xgroup: [[subcommand: string | Buffer, ...args: Values], unknown];
  xinfo: [[subcommand: string | Buffer, ...args: Values], unknown];
  xlen: [[key: K], number];
  xpending: [[key: K, group: V, ...args: V[]], unknown[]];
  xrange: [[key: K, start: V, end: V, ...args: V[]], [id: B, fields: B[]][]];
  xread: [[...args: Values], [key: B, items: [id: B, fields: B[]][]][] | null];
  xrevrange: [[key: K, end: V, start: V, ...args: V[]], [id: B, fields: B[]][]];
  xsetid: [[key: K, lastId: V, ...args: V[]], 'OK'];
  xtrim: [[key: K, ...args: V[]], number];
  zcard: [[key: K], number];
  zcount: [[key: K, min: V, max: V], number];
  zdiff: [[numkeys: V, ...args: Values], B[]];
  zdiffstore: [[destination: K, numkeys: V, ...args: Values], number];
  zincrby: [[key: K, increment: V, member: V], B];
  zinter: [[numkeys: V, ...args: Values], B[]];
  zintercard: [[numkeys: V, ...args: Values], number];
  zinterstore: [[destination: K, numkeys: V, ...args: Values], number];
  zlexcount: [[key: K, min: V, max: V], number];
  zmpop: [[numkeys: V, ...args: Values], [key: B, members: B[]] | null];
  zmscore: [[key: K, ...members: Values], (B | null)[]];
  zpopmax: [[key: K, count?: V], B[]];
  zpopmin: [[key: K, count?: V], B[]];
  zrandmember: [[key: K, ...args: V[]], B | B[] | null];
  zrange: [[key: K, min: V, max: V, ...args: Values], B[]];
  zrangebylex: [[key: K, min: V, max: V, ...args: V[]], B[]];
  zrangebyscore: [[key: K, min: V, max: V, ...args: V[]], B[]];
  zrangestore: [[destination: K, source: K, min: V, max: V, ...args: V[]], number];
  zrem: [[key: K, ...members: Values], number];
  zremrangebylex: [[key: K, min: V, max: V], number];
  zremrangebyrank: [[key: K, start: V, stop: V], number];
  zremrangebyscore: [[key: K, min: V, max: V], number];
  zrevrange: [[key: K, start: V, stop: V, withScores?: 'WITHSCORES'], B[]];
  zrevrangebylex: [[key: K, max: V, min: V, ...args: V[]], B[]];
  zrevrangebyscore: [[key: K, max: V, min: V, ...args: V[]], B[]];
  zscan: [[key: K, cursor: V, ...args: Values], [cursor: B, elements: B[]]];
  zscore: [[key: K, member: V], B | null];
  zunion: [[numkeys: V, ...args: Values], B[]];
  zunionstore: [[destination: K, numkeys: V, ...args: Values], number];
}

type Method<Entry, Context extends ClientContext> = Entry extends [infer Args extends unknown[], infer Reply]
  ? {
      (...args: [...Args, callback: Callback<Reply>]): Result<Reply, Context>;
      (...args: Args): Result<Reply, Context>;
    }
  : never;

type Methods<Context extends ClientContext, B extends string | Buffer, Suffix extends string> = {
  [N in keyof Signatures<B> & string as `${N}${Suffix}`]: Method<Signatures<B>[N], Context>;
};

/** Commands whose reply depends on their arguments. */
interface Overloaded<Context extends ClientContext> {
  set: Set<string, Context>;
  setBuffer: Set<Buffer, Context>;
  lpop: Pop<string, Context>;
  lpopBuffer: Pop<Buffer, Context>;
  rpop: Pop<string, Context>;
  rpopBuffer: Pop<Buffer, Context>;
  spop: SetPop<string, Context>;
  spopBuffer: SetPop<Buffer, Context>;
  srandmember: SetPop<string, Context>;
  srandmemberBuffer: SetPop<Buffer, Context>;
  ping: Ping<string, Context>;
  pingBuffer: Ping<Buffer, Context>;
  zadd: ZAdd<string, Context>;
  zaddBuffer: ZAdd<Buffer, Context>;
  zrank: ZRank<Context>;
  zrevrank: ZRank<Context>;
  xreadgroup: Method<[[...args: Values], unknown[] | null], Context>;
  xreadgroupBuffer: Method<[[...args: Values], unknown[] | null], Context>;
  call: Call<Context>;
  callBuffer: Call<Context>;
}

type Expiry = 'EX' | 'PX' | 'EXAT' | 'PXAT';
interface Set<B extends string | Buffer, Context extends ClientContext> {
  (key: K, value: V, callback?: Callback<'OK'>): Result<'OK', Context>;
  (key: K, value: V, keepTtl: 'KEEPTTL', callback?: Callback<'OK'>): Result<'OK', Context>;
  (key: K, value: V, expiry: Expiry, time: V, callback?: Callback<'OK'>): Result<'OK', Context>;
  (key: K, value: V, condition: 'NX' | 'XX', callback?: Callback<'OK' | null>): Result<'OK' | null, Context>;
  (
    key: K,
    value: V,
    expiry: Expiry,
    time: V,
    condition: 'NX' | 'XX',
    callback?: Callback<'OK' | null>,
  ): Result<'OK' | null, Context>;
  (
    key: K,
    value: V,
    keepTtl: 'KEEPTTL',
    condition: 'NX' | 'XX',
    callback?: Callback<'OK' | null>,
  ): Result<'OK' | null, Context>;
  (key: K, value: V, get: 'GET', callback?: Callback<B | null>): Result<B | null, Context>;
  (key: K, value: V, ...args: [...options: V[], callback: Callback<B | 'OK' | null>]): Result<B | 'OK' | null, Context>;
  (key: K, value: V, ...options: V[]): Result<B | 'OK' | null, Context>;
}
interface Pop<B, Context extends ClientContext> {
  (key: K, callback?: Callback<B | null>): Result<B | null, Context>;
  (key: K, count: V, callback?: Callback<B[] | null>): Result<B[] | null, Context>;
}
interface SetPop<B, Context extends ClientContext> {
  (key: K, callback?: Callback<B | null>): Result<B | null, Context>;
  (key: K, count: V, callback?: Callback<B[]>): Result<B[], Context>;
}
interface Ping<B, Context extends ClientContext> {
  (callback?: Callback<'PONG'>): Result<'PONG', Context>;
  (message: string | Buffer, callback?: Callback<B>): Result<B, Context>;
}
interface ZAdd<B, Context extends ClientContext> {
  (key: K, ...args: [...scoreMembers: Values, callback: Callback<number>]): Result<number, Context>;
  (key: K, ...args: [mode: 'INCR', score: V, member: V]): Result<B | null, Context>;
  (key: K, ...scoreMembers: Values): Result<number, Context>;
}
interface ZRank<Context extends ClientContext> {
  (key: K, member: V, callback?: Callback<number | null>): Result<number | null, Context>;
  (key: K, member: V, withScore: 'WITHSCORE'): Result<[rank: number, score: string] | null, Context>;
}
interface Call<Context extends ClientContext> {
  (command: string, ...args: [...args: Values, callback: Callback<unknown>]): Result<unknown, Context>;
  (command: string, ...args: Values): Result<unknown, Context>;
}

/** Every command. Applications declare their own scripts by augmenting it, as with ioredis. */
export interface RedisCommander<Context extends ClientContext = { type: 'default' }>
  extends Methods<Context, string, ''>,
    Methods<Context, Buffer, 'Buffer'>,
    Overloaded<Context> {}
