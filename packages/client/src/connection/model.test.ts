/**
 * A model of delivery against a server that does anything to any command: answers, takes its time, splits, truncates,
 * garbles, falls silent or closes, before or after it has run the command. Whatever happens, every promise settles,
 * no reply reaches another caller, no write runs twice, and what a write's error says about it is true.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Answer, type Peer, startScriptedServer } from '@redkeep/testing';
import fc from 'fast-check';
import { createClient } from '../client/client.js';
import { AbortError, MaybeExecutedError, TimeoutError } from '../errors.js';

/** What the server does to one command. `at` is a share of the reply's bytes. */
type Behaviour =
  | { readonly does: 'answer' | 'split' | 'silence' }
  | { readonly does: 'delay'; readonly turns: number }
  | { readonly does: 'truncate'; readonly at: number; readonly close: 'end' | 'reset' }
  | { readonly does: 'garble'; readonly bytes: string }
  | { readonly does: 'close'; readonly ran: boolean; readonly close: 'end' | 'reset' };

const close = fc.constantFrom('end' as const, 'reset' as const);
const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom<Behaviour>({ does: 'answer' }, { does: 'split' }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('delay' as const), turns: fc.nat(5) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('truncate' as const),
      at: fc.double({ min: 0, max: 1, noNaN: true }),
      close,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('garble' as const),
      bytes: fc.constantFrom(
        '\x01',
        ':1a\r\n',
        '$-5\r\n',
        '*9999999999\r\n',
        '+a\nb\r\n',
        '$3\r\nabcd\r\n',
        '>0\r\n',
        'OK\r\n',
      ),
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('close' as const), ran: fc.boolean(), close }) },
  { weight: 1, arbitrary: fc.constant<Behaviour>({ does: 'silence' }) },
);

/** What the application does: reads and writes, some given up at once or a moment later. */
const call = fc.record({
  write: fc.boolean(),
  abort: fc.option(fc.nat(6), { freq: 6 }),
  wait: fc.nat(2),
});

class ModelServer {
  /** How often each write ran. */
  readonly ran = new Map<string, number>();
  readonly #behaviours: readonly Behaviour[];
  #next = 0;

  constructor(behaviours: readonly Behaviour[]) {
    this.#behaviours = behaviours;
  }

  readonly answer = async ([name, key]: readonly string[], peer: Peer): Promise<Answer> => {
    // On a connection that was closed nothing runs any more.
    if (!peer.isOpen) return undefined;
    const behaviour = this.#behaviours[this.#next++] ?? { does: 'answer' };
    const runs = behaviour.does !== 'close' || behaviour.ran;
    if (name === 'INCR' && runs) this.ran.set(key!, (this.ran.get(key!) ?? 0) + 1);
    const reply = name === 'INCR' ? `:${key!.slice(1)}\r\n` : `$${key!.length}\r\n${key}\r\n`;
    switch (behaviour.does) {
      case 'answer':
        return reply;
      case 'split':
        for (const byte of reply) {
          peer.write(byte);
          await turn();
        }
        return undefined;
      case 'delay':
        for (let i = 0; i < behaviour.turns; i++) await turn();
        return reply;
      case 'truncate':
        // Less than the whole: the last byte is never sent.
        peer.write(reply.slice(0, Math.floor(behaviour.at * (reply.length - 1))));
        peer[behaviour.close]();
        return new Promise(() => {});
      case 'garble':
        peer.write(behaviour.bytes);
        return reply;
      case 'close':
        peer[behaviour.close]();
        return new Promise(() => {});
      case 'silence':
        return new Promise(() => {});
    }
  };
}

const RUNS = Number(process.env['REDKEEP_MODEL_RUNS'] ?? 120);

test('delivery holds against a server that does anything', async () => {
  const scenario = fc.record({
    behaviours: fc.array(behaviour, { maxLength: 24 }),
    calls: fc.array(call, { minLength: 1, maxLength: 24 }),
    resp: fc.constantFrom('resp3' as const, 'resp2' as const),
  });
  await fc.assert(
    fc.asyncProperty(scenario, async ({ behaviours, calls, resp }) => {
      const model = new ModelServer(behaviours);
      await using server = await startScriptedServer({ onCommand: model.answer, handshake: resp });
      const client = createClient({
        url: server.url,
        commandOptions: { timeout: 400 },
        socket: { reconnectStrategy: () => 1, socketTimeout: 60 },
      });
      client.on('error', () => {});
      await client.connect();
      const outcomes: Promise<void>[] = [];
      for (const [i, { write, abort, wait }] of calls.entries()) {
        for (let turns = 0; turns < wait; turns++) await turn();
        const controller = new AbortController();
        const view = abort === null ? client : client.withAbortSignal(controller.signal);
        const key = `k${i}`;
        const reply = write ? view.incr(key) : view.get(key);
        outcomes.push(
          reply.then(
            (value) => {
              assert.equal(value, write ? i : key, 'a reply reached another caller');
              if (write) assert.equal(model.ran.get(key), 1, 'an answered write ran other than once');
            },
            (error: unknown) => {
              const ran = model.ran.get(key) ?? 0;
              assert.ok(ran <= 1, 'a write ran twice');
              const unknown = [MaybeExecutedError, TimeoutError, AbortError].some((type) => error instanceof type);
              if (!unknown) assert.equal(ran, 0, `ran, yet ${String(error)} says that it did not`);
            },
          ),
        );
        if (abort !== null) void turns(abort).then(() => controller.abort());
      }
      await Promise.all(outcomes);
      for (const [key, count] of model.ran) assert.equal(count, 1, `${key} ran ${count} times`);
      client.destroy();
    }),
    { numRuns: RUNS },
  );
});

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await turn();
}
