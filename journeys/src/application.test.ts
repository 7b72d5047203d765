/**
 * An application team follows docs/production.md: an express and a fastify application on a Sentinel deployment for
 * production, with orders all the time while settings and certificates change, a primary hands over, and one dies.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '@redkeep/testing';
import { follow, followed, save, succeed } from './testing/follow.js';
import { isFull, journeyShells, type Machine, startMachine, type Terminal } from './testing/machine.js';
import { blocksBelow } from './testing/markdown.js';

const PAGE = 'docs/production.md';
const SHOP = 'http://127.0.0.1:3000';

/** A customer with a session of their own who orders one thing after the other. */
class Customer {
  readonly name: string;
  readonly accepted: string[] = [];
  failed = 0;
  /** The count of the session in the last answer. */
  #orders = 0;
  #cookie = '';
  #isDone = false;
  readonly #ended: Promise<void>;

  constructor(name: string) {
    this.name = name;
    this.#ended = this.#shop();
  }

  async stop(): Promise<void> {
    this.#isDone = true;
    await this.#ended;
  }

  async #shop(): Promise<void> {
    for (let n = 1; !this.#isDone; n++) {
      const order = `${this.name}-${n}`;
      const response = await fetch(`${SHOP}/orders`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', cookie: this.#cookie },
        body: JSON.stringify({ order, address: `${order} street` }),
      });
      const text = await response.text();
      if (response.status === 201) {
        const { orders } = JSON.parse(text) as { orders: number };
        assert.ok(orders > this.#orders, `the session of ${this.name} went from ${this.#orders} to ${orders}`);
        this.#orders = orders;
        this.accepted.push(order);
        this.#cookie = response.headers.get('set-cookie')?.split(';')[0] ?? this.#cookie;
      } else this.failed++;
      await sleep(200);
    }
  }
}

async function allThere(orders: readonly string[]): Promise<void> {
  assert.ok(orders.length > 5);
  for (const order of orders) {
    const response = await fetch(`${SHOP}/orders/${order}`);
    assert.deepEqual(await response.json(), { address: `${order} street` }, order);
  }
}

async function stock(terminal: Terminal): Promise<number> {
  const output = await succeed(terminal, 'npx redkeep cli --user app --dir shop -- GET app:stock');
  return Number(/(\d+)"?\W*$/.exec(output)?.[1]);
}

if (isFull)
  for (const shell of await journeyShells()) {
    describe(`an application team in ${shell}`, () => {
      let machine: Machine;
      let terminal: Terminal;
      before(async () => {
        machine = await startMachine();
        terminal = await machine.open(shell);
      });
      after(async () => {
        await terminal?.[Symbol.asyncDispose]();
        await machine?.[Symbol.asyncDispose]();
      });

      test('the servers start, and the user of the application may do what it needs', async () => {
        await followed(terminal, PAGE, 'The servers');
        const page = await readFile(join(machine.project, 'shop/clients/app.md'), 'utf8');
        const [, code] = /^```ts\n([\s\S]*?)^```$/m.exec(page)!;
        await machine.write('redis.mjs', `${code}export { client };\n`);
      });

      test('the shop takes orders', async () => {
        await save(machine, PAGE, 'The shop', 'app.mjs');
        await followed(terminal, PAGE, 'The shop');
      });

      test('the office reads them', async () => {
        await save(machine, PAGE, 'The office', 'office.mjs');
        await followed(terminal, PAGE, 'The office');
      });

      for (const [at, heading] of ['A change, and new certificates', 'A planned failover'].entries())
        test(`no accepted order is lost, and each is taken from stock: ${heading}`, async () => {
          const before = await stock(terminal);
          const customers = ['ana', 'leo'].map((name) => new Customer(`${name}-${at}`));
          const output = await follow(terminal, PAGE, heading);
          await Promise.all(customers.map((customer) => customer.stop()));
          const accepted = customers.flatMap((customer) => customer.accepted);
          await allThere(accepted);
          // The page's own order below this heading is one more. One that failed may have taken its item.
          const sold = accepted.length + (output.includes('"left"') ? 1 : 0);
          const failed = customers.reduce((sum, customer) => sum + customer.failed, 0);
          const taken = before - (await stock(terminal));
          assert.ok(taken >= sold && taken <= sold + failed, `${sold} sold, ${failed} failed, ${taken} taken`);
        });

      test('no accepted order is lost when the primary dies', async () => {
        const customers = ['eva', 'tom'].map((name) => new Customer(name));
        await waitFor(() => customers.every(({ accepted }) => accepted.length > 2), { timeout: 20_000 });
        const output = await follow(terminal, PAGE, 'A primary that dies');
        assert.match(output, /\{"address":"Calle 4","seen":1\}/, output);
        assert.match(output, /\{"ok":true,"checked":\d+\}/, output);
        const counts = customers.map(({ accepted }) => accepted.length);
        await waitFor(() => customers.every(({ accepted }, at) => accepted.length > counts[at]! + 2), {
          timeout: 30_000,
        });
        await Promise.all(customers.map((customer) => customer.stop()));
        await allThere(customers.flatMap(({ accepted }) => accepted));
      });

      test('a pipeline gets SARIF, and what was waived is marked in it', async () => {
        const [waivers] = await blocksBelow(PAGE, 'In a pipeline', 'yaml');
        await machine.write('waivers.yaml', `${waivers!.text}\n`);
        await follow(terminal, PAGE, 'In a pipeline');
        const sarif = JSON.parse(await readFile(join(machine.project, 'findings.sarif'), 'utf8')) as {
          runs: { results: { ruleId: string; suppressions?: { justification: string }[] }[] }[];
        };
        const found = sarif.runs[0]!.results.filter(({ ruleId }) => ruleId === 'HOST-006');
        for (const { suppressions } of found)
          assert.match(suppressions?.[0]?.justification ?? '', /this machine is only for trying/);
      });

      test('the audit gives an A', async () => {
        await followed(terminal, PAGE, 'Proof');
      });
    });
  }
