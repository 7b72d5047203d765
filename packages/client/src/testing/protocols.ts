/** Runs tables of command calls against real servers, once for each RESP version. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import {
  type Engine,
  findEngine,
  findEngines,
  startFaultProxy,
  startScriptedServer,
  startServer,
} from '@redkeep/testing';
import { createClient, type RedisClient } from '../client/client.js';
import type { Command, CommandFunction } from '../commands/command.js';
import { ProtocolError, RedkeepError } from '../errors.js';
import type { RespVersion } from '../protocol/types.js';

export type Check = (reply: never, resp: RespVersion) => void;
/** A call and what it resolves with; a function checks what cannot be foretold. */
export type Case = readonly [call: (client: RedisClient) => unknown, expected: unknown];
/** A command value and what it writes, word by word; `keys` are checked too when given. */
export type WireCase = readonly [command: Command, words: string, keys?: string];

export interface Group {
  /** The module under test; every command function that it exports must be called by a case. */
  readonly module: Readonly<Record<string, unknown>>;
  /** Run on the default engine. */
  readonly cases: readonly Case[];
  /** Run on the engines of these names that are on this machine. */
  readonly newer?: Readonly<Record<string, readonly Case[]>>;
  /** For every server: what is written. Newer commands have these whether or not a server is there. */
  readonly wire?: readonly WireCase[];
}

export function testGroup(title: string, group: Group): void {
  const called = new Set<string>();
  const runs: [Engine, readonly Case[]][] = [[findEngine(), group.cases]];
  for (const [name, cases] of Object.entries(group.newer ?? {}))
    for (const engine of findEngines()) if (engine.name.startsWith(name)) runs.push([engine, cases]);
  for (const [engine, cases] of runs)
    for (const RESP of [2, 3] as const)
      test(`${title}, RESP ${RESP}, ${engine.name}`, () => run(engine, RESP, cases, called));
  test(`${title}, replies of RESP 2 where RESP 3 was agreed`, () => runMismatched(group.cases));
  test(`${title}, replies of every form`, () => runMisshapen(group.cases));
  test(`${title}: what is written`, () => {
    for (const [command, words, keys] of group.wire ?? []) {
      assert.equal(wireOf(command), words);
      if (keys !== undefined) assert.equal(keysOf(command).join(' '), keys, `keys of ${words}`);
    }
  });
  test(`${title}: every command has a case`, () => {
    const functions = Object.entries(group.module).filter(([, value]) => typeof value === 'function');
    const missing = functions.filter(([name]) => !called.has(name) && !mentioned(name, group)).map(([name]) => name);
    assert.ok(functions.length > 0);
    assert.deepEqual(missing, []);
  });
}

function mentioned(name: string, group: Group): boolean {
  return (group.wire ?? []).some(([command]) => (command as NamedCommand).builtBy === name);
}
type NamedCommand = Command & { builtBy?: string };

/** Builds a command and remembers by which function, for the completeness check. */
export function built<M extends Record<string, unknown>, K extends keyof M & string>(
  module: M,
  name: K,
  ...args: M[K] extends (...a: infer A) => unknown ? A : never
): Command {
  const command = (module[name] as CommandFunction)(...args);
  return Object.assign(command, { builtBy: name });
}

async function run(engine: Engine, RESP: RespVersion, cases: readonly Case[], called: Set<string>): Promise<void> {
  await using server = await startServer({ engine });
  await using client = createClient({ url: server.url, RESP });
  await client.connect();
  const recorder = new Proxy(client, {
    get(target, name) {
      if (typeof name === 'string') called.add(name);
      const value = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  for (const [call, expected] of cases) {
    const what = String(call).replace(/^\w+ => /, '');
    let reply: unknown;
    try {
      reply = await call(recorder as RedisClient);
    } catch (error) {
      throw new Error(`${what}: ${(error as { serverMessage?: string }).serverMessage ?? error}`, { cause: error });
    }
    if (typeof expected === 'function') (expected as (reply: unknown, resp: number) => void)(reply, RESP);
    else assert.deepEqual(plain(reply), expected, what);
  }
}

/**
 * A server that agrees to RESP 3 and goes on in RESP 2 (proxies that know HELLO do): each call has the right value or a
 * ProtocolError, never something else. What depends on an earlier call of the table that was refused is not compared.
 */
async function runMismatched(cases: readonly Case[]): Promise<void> {
  await using server = await startServer();
  await using proxy = await startFaultProxy(server.port);
  const rewritten = (from: RegExp, to: string) => (bytes: Buffer) =>
    Buffer.from(bytes.toString('latin1').replace(from, to), 'latin1');
  proxy.faults.toServer.transform = rewritten(/(HELLO\r\n\$1\r\n)3/, '$12');
  proxy.faults.toClient.transform = rewritten(/^\*14\r\n(\$6\r\nserver[\s\S]*?\$5\r\nproto\r\n):2/, '%7\r\n$1:3');
  await using client = createClient({ url: `redis://127.0.0.1:${proxy.port}`, RESP: 3 });
  await client.connect();
  for (const [call, expected] of cases) {
    const what = String(call).replace(/^\w+ => /, '');
    let reply: unknown;
    try {
      reply = await call(client as RedisClient);
    } catch (error) {
      assert.ok(error instanceof ProtocolError, `${what}: ${error}`);
      continue;
    }
    if (typeof expected === 'function') (expected as (reply: unknown, resp: number) => void)(reply, 3);
    else assert.deepEqual(plain(reply), expected, what);
  }
}

/** Well-formed replies, each of a form that most commands do not have. */
const FORMS = [
  ':7',
  '+x',
  '*0',
  '*1\r\n:1',
  '*1\r\n*1\r\n:1',
  '*3\r\n+a\r\n_\r\n*0',
  '%1\r\n+a\r\n:1',
  '_',
  '#t',
  ',1.5',
];

/**
 * A server that answers each call in every form: a ProtocolError, or a value in which nothing is missing.
 */
async function runMisshapen(cases: readonly Case[]): Promise<void> {
  let form = '';
  await using server = await startScriptedServer({ onCommand: () => `${form}\r\n` });
  await using client = await createClient({ url: server.url }).connect();
  const problems: string[] = [];
  for (const [call] of cases)
    for (form of FORMS) {
      try {
        const reply = await call(client as RedisClient);
        if (!isWhole(reply)) problems.push(`${call} ${JSON.stringify(form)}: ${inspect(reply)}`);
      } catch (error) {
        if (!(error instanceof RedkeepError)) problems.push(`${call} ${JSON.stringify(form)}: ${error}`);
      }
    }
  assert.deepEqual(problems, []);
}

/** Nothing in it is undefined or no number. */
function isWhole(value: unknown): boolean {
  if (value === undefined || Number.isNaN(value)) return false;
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return true;
  return Object.values(value).every(isWhole);
}

/** The same value with ordinary prototypes, so that a literal can stand for it. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object' || Buffer.isBuffer(value)) return value;
  if (value instanceof Map || value instanceof Set) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

export function wireOf(command: Command): string {
  const head = command.spec.head.split('\r\n').filter((_, i) => i % 2 === 1);
  return [...head, ...command.args.map(String)].join(' ');
}

export const keysOf = (command: Command): string[] =>
  command.spec.keys(command.args).map((position) => String(command.args[position]));

export const isString = (reply: unknown) => assert.equal(typeof reply, 'string');
export const isNumber = (reply: unknown) => assert.equal(typeof reply, 'number');
export const sorted =
  (...expected: string[]) =>
  (reply: unknown) =>
    assert.deepEqual([...(reply as string[])].sort(), expected);
