/** node-redis's callback interface of version 3, for code that has not moved to promises. */
import type { EventEmitter } from 'node:events';
import { emitSafely } from '../client/emit-safely.js';
import { ALIASES, COMMANDS } from '../commands/index.js';
import { pairsToMap } from '../commands/readers.js';
import type { RedisArgument } from '../protocol/types.js';

export type LegacyArgument = RedisArgument | number | Date | readonly LegacyArgument[];
export type LegacyCallback = (error: Error | null, reply?: unknown) => void;
type LegacyMethod<R> = (...args: (LegacyArgument | LegacyCallback)[]) => R;

type Names = keyof typeof COMMANDS | Uppercase<keyof typeof COMMANDS>;
export type LegacyClient = { readonly [K in Names]: LegacyMethod<void> } & {
  sendCommand: LegacyMethod<void>;
  multi(): LegacyMulti;
};
export type LegacyMulti = { readonly [K in Names]: LegacyMethod<LegacyMulti> } & {
  sendCommand: LegacyMethod<LegacyMulti>;
  exec(callback?: LegacyCallback): void;
};

/** What it needs of the client that it calls. */
export interface PromiseClient extends EventEmitter {
  sendCommand(args: RedisArgument[]): Promise<unknown>;
  multi(): { sendCommand(args: RedisArgument[]): unknown; exec(): Promise<unknown> };
}

type Reader = (reply: unknown) => unknown;
/** The only reply that version 3 changed: a flat list of fields and values became an object. */
const hashReader: Reader = (reply) => (Array.isArray(reply) ? pairsToMap(reply, undefined) : reply);
const asGiven: Reader = (reply) => reply;

/** Every command's method names, with the words it sends and the reader of its reply. */
function* commandNames(): Generator<[name: string, words: string[], read: Reader]> {
  for (const name of Object.keys(COMMANDS)) {
    const upper = (ALIASES as Record<string, string>)[name] ?? name.toUpperCase();
    const words = upper.split('_');
    const read = upper === 'HGETALL' ? hashReader : asGiven;
    yield [name, words, read];
    if (upper !== name) yield [upper, words, read];
  }
}

function flatten(args: readonly unknown[], into: RedisArgument[] = []): RedisArgument[] {
  for (const arg of args) {
    if (Array.isArray(arg)) flatten(arg, into);
    else into.push(typeof arg === 'number' || arg instanceof Date ? String(arg) : (arg as RedisArgument));
  }
  return into;
}

function splitCallback(args: unknown[]): LegacyCallback | undefined {
  return typeof args.at(-1) === 'function' ? (args.pop() as LegacyCallback) : undefined;
}

export function createLegacyClient(client: PromiseClient): LegacyClient {
  const settle = (promise: Promise<unknown>, callback: LegacyCallback | undefined, read: Reader = asGiven) => {
    promise.then(
      (reply) => callback?.(null, read(reply)),
      (error) => (callback === undefined ? emitSafely(client, 'error', error) : callback(error)),
    );
  };
  const legacy: Record<string, unknown> = {
    sendCommand(...args: unknown[]) {
      const callback = splitCallback(args);
      settle(client.sendCommand(flatten(args)), callback);
    },
    multi: () => createLegacyMulti(client, settle),
  };
  for (const [name, words, read] of commandNames()) {
    legacy[name] = (...args: unknown[]) => {
      const callback = splitCallback(args);
      settle(client.sendCommand([...words, ...flatten(args)]), callback, read);
    };
  }
  return legacy as LegacyClient;
}

type Settle = (promise: Promise<unknown>, callback: LegacyCallback | undefined, read?: Reader) => void;

function createLegacyMulti(client: PromiseClient, settle: Settle): LegacyMulti {
  const transaction = client.multi();
  const readers: Reader[] = [];
  const multi: Record<string, unknown> = {
    exec(callback?: LegacyCallback) {
      settle(transaction.exec(), callback, (replies) => (replies as unknown[]).map((reply, i) => readers[i]!(reply)));
    },
  };
  const add = (name: string, words: string[], read: Reader) => {
    multi[name] = (...args: unknown[]) => {
      transaction.sendCommand([...words, ...flatten(args)]);
      readers.push(read);
      return multi;
    };
  };
  add('sendCommand', [], asGiven);
  for (const [name, words, read] of commandNames()) add(name, words, read);
  return multi as unknown as LegacyMulti;
}
