/**
 * Loaded by mocha before node-redis's specs. Where REDKEEP_SPECS_CLIENT is `redkeep`, what a spec imports from
 * node-redis's client, pool, cluster, Sentinel client, cache and errors is Redkeep's. In both cases the results are
 * written as JSON lines, with whether the test made a client: only those compare behaviour.
 */
import strict from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import Module from 'node:module';
import * as redkeep from 'redkeep';
import * as names from 'redkeep/node-redis';

type Exports = Record<string, unknown>;
type Load = (this: unknown, request: string, parent: { filename?: string } | undefined, isMain: boolean) => Exports;
interface Loader {
  _load: Load;
  _resolveFilename(request: string, parent: unknown, isMain: boolean): string;
}
interface MochaTest {
  fullTitle(): string;
  readonly file?: string;
  readonly state?: string;
  readonly err?: Error;
  readonly pending: boolean;
}

const ROOT = process.env['REDKEEP_SPECS_CHECKOUT'] as string;
const RESULTS = process.env['REDKEEP_SPECS_RESULTS'] as string;
const isRedkeep = process.env['REDKEEP_SPECS_CLIENT'] === 'redkeep';
const LIB = `${ROOT}/packages/client/lib`;
/** Files that hold tests or belong to them; `dockers.ts` makes servers, with node-redis in both runs. */
const TESTS = /\.spec\.ts$|test-utils\.ts$|sentinel\/test-util\.ts$|test-utils\/lib\/index\.ts$/;

/** What Redkeep runs with: the defaults of node-redis, which have no TLS and no list of refused commands. */
const OPEN = { commandPolicy: 'unrestricted', allowPlaintext: true } as const;
let made = 0;

type Options = Record<string, unknown> & { socket?: { tls?: unknown } };
function withDefaults(options: Options = {}): Options {
  const plain = options['url'] === undefined && options.socket?.tls === undefined ? { tls: false } : {};
  return { ...OPEN, ...plain, ...options };
}
function clusterDefaults(options: Options): Options {
  const { commandPolicy } = OPEN;
  return { ...options, commandPolicy, defaults: withDefaults(options['defaults'] as Options) };
}
function sentinelDefaults(options: Options): Options {
  return {
    ...options,
    nodeClientOptions: withDefaults(options['nodeClientOptions'] as Options),
    sentinelClientOptions: withDefaults(options['sentinelClientOptions'] as Options),
  };
}

/** The class as a spec sees it: makers count, and start from the defaults of node-redis. */
function observed<T extends object>(type: T, defaults: (options: Options) => Options): T {
  const adjust = isRedkeep ? defaults : (options: Options) => options;
  return new Proxy(type, {
    get(target, name, receiver) {
      const value = Reflect.get(target, name, receiver) as unknown;
      if (name === 'create')
        return (options: Options, ...rest: unknown[]) => {
          made++;
          return (value as (...all: unknown[]) => unknown).call(target, adjust(options ?? {}), ...rest);
        };
      if (name === 'factory')
        return (...config: unknown[]) => {
          const make = (value as (...all: unknown[]) => (...all: unknown[]) => unknown).call(target, ...config);
          return (options: Options, ...rest: unknown[]) => {
            made++;
            return make(adjust(options ?? {}), ...rest);
          };
        };
      return value;
    },
    construct(target, args, created) {
      made++;
      const [options, ...rest] = args as [Options, ...unknown[]];
      return Reflect.construct(target as never, [adjust(options ?? {}), ...rest], created) as object;
    },
  });
}

type Substitute = (theirs: Exports) => Exports;
const ours = names as unknown as Exports;
const own = (theirs: Exports, name: string) => (isRedkeep ? ours[name] : (theirs[name] ?? theirs['default'])) as object;
const client = (theirs: Exports) => observed(own(theirs, 'RedisClient'), withDefaults);
const pool = (theirs: Exports) => observed(own(theirs, 'RedisClientPool'), withDefaults);
const cluster = (theirs: Exports) => observed(own(theirs, 'RedisCluster'), clusterDefaults);
const sentinel = (theirs: Exports) => observed(own(theirs, 'RedisSentinel'), sentinelDefaults);
const shared: Substitute = (theirs) =>
  isRedkeep ? { ...theirs, ...Object.fromEntries(Object.entries(ours).filter(([name]) => name in theirs)) } : theirs;

const SUBSTITUTES: Readonly<Record<string, Substitute>> = {
  [`${LIB}/client/index.ts`]: (theirs) => ({ ...theirs, __esModule: true, default: client(theirs) }),
  [`${LIB}/client/pool.ts`]: (theirs) => ({ ...theirs, __esModule: true, RedisClientPool: pool(theirs) }),
  [`${LIB}/cluster/index.ts`]: (theirs) => ({ ...theirs, __esModule: true, default: cluster(theirs) }),
  [`${LIB}/sentinel/index.ts`]: (theirs) => ({ ...theirs, __esModule: true, default: sentinel(theirs) }),
  [`${LIB}/client/cache.ts`]: (theirs) =>
    isRedkeep ? { ...shared(theirs), CacheStats: (redkeep as Exports)['CacheStats'] ?? theirs['CacheStats'] } : theirs,
  [`${LIB}/errors.ts`]: shared,
  [`${LIB}/RESP/verbatim-string.ts`]: shared,
  [`${ROOT}/packages/client/index.ts`]: (theirs) => ({
    ...shared(theirs),
    __esModule: true,
    RedisClient: client(theirs),
    createClient: client(theirs as never)['create' as never],
    RedisClientPool: pool(theirs),
    createClientPool: pool(theirs)['create' as never],
    RedisCluster: cluster(theirs),
    createCluster: cluster(theirs)['create' as never],
    RedisSentinel: sentinel(theirs),
    createSentinel: sentinel(theirs)['create' as never],
  }),
};

const loader = Module as unknown as Loader;
const load = loader._load;
const substituted = new Map<string, Exports>();
loader._load = function (request, parent, isMain) {
  // Packages are read as their sources: nothing of the checkout has to be built.
  const source = request
    .replace(/^(@redis\/[a-z-]+)\/dist\//, '$1/')
    .replace(/^(@redis\/[a-z-]+)$/, (name) => `${name}${name === '@redis/client' ? '' : '/lib'}/index`);
  const theirs = load.call(this, source, parent, isMain);
  if (parent?.filename === undefined || !TESTS.test(parent.filename) || !parent.filename.startsWith(ROOT))
    return theirs;
  let file: string;
  try {
    file = loader._resolveFilename(source, parent, false);
  } catch {
    return theirs;
  }
  const substitute = SUBSTITUTES[file];
  if (!substitute) return theirs;
  const exports = substituted.get(file) ?? substitute(theirs);
  substituted.set(file, exports);
  return exports;
};

/** Redkeep's maps have no prototype; specs that compare them strictly would see nothing else. */
function likePlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(likePlain);
  if (value instanceof Map) return new Map([...value].map(([key, one]) => [likePlain(key), likePlain(one)]));
  if (typeof value !== 'object' || value === null) return value;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== null && prototype !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, likePlain(one)]));
}
if (isRedkeep)
  for (const where of [strict, Module.createRequire(import.meta.url)('node:assert') as typeof strict])
    for (const name of ['deepEqual', 'deepStrictEqual'] as const) {
      const compare = where[name];
      (where as unknown as Exports)[name] = (actual: unknown, expected: unknown, message?: string | Error) =>
        compare(likePlain(actual), likePlain(expected), message);
    }

let before = 0;
export const mochaHooks = {
  afterEach(this: { currentTest?: MochaTest }): void {
    const test = this.currentTest;
    if (!test) return;
    const result = {
      name: `${test.file?.slice(ROOT.length + 1)}: ${test.fullTitle()}`,
      state: test.state ?? (test.pending ? 'pending' : 'failed'),
      clients: made - before,
      error: test.err && `${test.err.name}: ${test.err.message}`.slice(0, 400),
    };
    before = made;
    appendFileSync(RESULTS, `${JSON.stringify(result)}\n`);
  },
};
