import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { refused } from '../testing/support.js';
import type { AuditEvent } from './chain.js';
import { snapshotOf } from './event-snapshot.js';

const event = (details: unknown) => ({
  id: 'i',
  at: 1,
  actor: 'ana',
  action: 'x',
  details: details as NonNullable<AuditEvent['details']>,
});
class Person {
  readonly #name = 'ana';
  get name() {
    return this.#name;
  }
}
const cyclic: Record<string, unknown> = {};
cyclic['self'] = cyclic;

describe('an event', () => {
  const lost: Readonly<Record<string, unknown>> = {
    NaN: Number.NaN,
    Infinity: Number.NEGATIVE_INFINITY,
    undefined: undefined,
    function: () => 1,
    symbol: Symbol('x'),
    bigint: 1n,
    Map: new Map([[1, 2]]),
    Set: new Set([1]),
    Error: new Error('x'),
    RegExp: /x/,
    'typed array': new Uint8Array(2),
    'boxed number': Object(1),
    'invalid date': new Date(Number.NaN),
    'object with hidden fields': new Person(),
    'symbol as name': { [Symbol('x')]: 1 },
    'hole in a list': Array(1),
    cycle: cyclic,
  };
  for (const [what, value] of Object.entries(lost))
    test(`with what JSON would lose is refused, at any depth: ${what}`, async () => {
      for (const details of [
        { a: value },
        { a: [value] },
        { a: { b: [{ c: value }] } },
        { a: { toJSON: () => value } },
      ])
        await refused(() => snapshotOf(event(details)), 'REDKEEP_GUARD_ARGUMENT');
      if (value !== undefined) await refused(() => snapshotOf(event(value)), 'REDKEEP_GUARD_ARGUMENT');
    });

  test('is refused by place and type, not by value', async () => {
    const { message } = await refused(
      () => snapshotOf(event({ list: [0, new Map([['secret', 1]])] })),
      'REDKEEP_GUARD_ARGUMENT',
    );
    assert.match(message, /event\.details\.list\[1\] \(Map\)/);
    assert.ok(!message.includes('secret'));
  });

  test('of what JSON keeps is stored as it is', () => {
    const kept = { a: [null, true, 1.5, 'x', '\ud800', { b: {} }], c: Object.assign(Object.create(null), { d: 1 }) };
    assert.equal(JSON.stringify(snapshotOf(event(kept)).details), JSON.stringify(kept));
    const said = snapshotOf(event({ when: new Date(0), where: new URL('https://example.org/') })).details;
    assert.deepEqual(said, { when: '1970-01-01T00:00:00.000Z', where: 'https://example.org/' });
  });

  test('may leave its optional fields undefined', () => {
    const given = { ...event({}), subject: undefined } as unknown as Parameters<typeof snapshotOf>[0];
    assert.ok(!('subject' in snapshotOf(given)));
  });
});
