/** Remedies against the truth: clients are connected, the change is made, and who can go on is seen. */
import assert from 'node:assert/strict';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { findEngine, randomFrom, type Server, startServer } from '@redkeep/testing';
import type { Facts } from '../facts/facts.js';
import type { Endpoint } from '../gather/endpoint.js';
import { gather } from '../gather/gather.js';
import type { Session } from '../gather/node.js';
import { openSession } from '../gather/session.js';
import { expectations, passwords, sha256 } from '../testing/hardened.js';
import { applyChange } from './apply.js';
import type { Change } from './change.js';
import { clientsCutOff } from './cut-off.js';
import { inverse, planChanges } from './plan.js';

/** `REDKEEP_REMEDIES=200` looks at more of them. */
const rounds = Number(process.env['REDKEEP_REMEDIES'] ?? 4);

/** An address of this machine that a server takes for another host, where there is one. */
const other = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address;

const commands: readonly (readonly string[])[] = [
  ['GET', 'app:a'],
  ['SET', 'app:a', '1'],
  ['KEYS', 'app:*'],
  ['EVAL', 'return 1', '1', 'app:a'],
  ['CONFIG', 'GET', 'port'],
  ['ACL', 'LIST'],
  ['INFO', 'server'],
  ['SCAN', '0'],
  ['PING'],
];

interface Client {
  readonly name: string;
  readonly endpoint: Endpoint;
  readonly command: readonly string[];
  session: Session;
}

/** What a client needs: its connection answers what it sent last, and it can connect again. */
async function goesOn({ endpoint, command, session, name }: Client): Promise<boolean> {
  try {
    await session.ask(...command);
    const again = await openSession(endpoint, `${name}-again`);
    await again.ask('PING').finally(() => again.close());
    return true;
  } catch {
    return false;
  }
}

test(`what a change is said to cut off is what it cuts off, for ${rounds} random situations`, async () => {
  const wrong: string[] = [];
  let changes = 0;
  let cut = 0;
  for (let seed = 1; seed <= rounds; seed++) {
    const random = randomFrom(seed);
    const one = <T>(list: readonly T[]): T => list[random(list.length)]!;
    const rules = () =>
      one([
        '+@all',
        '+@read +@write +@connection',
        '+@all -@dangerous',
        '+@read +@write +@scripting +info +ping',
        '-@all +@read +keys +scan +ping',
      ]);
    const lines = [
      one([
        'user default on nopass ~* &* +@all',
        `user default on #${sha256(passwords.app)} ~* &* +@all`,
        'user default off',
      ]),
      `user admin on #${sha256(passwords.admin)} ~* &* +@all`,
      ...['app', 'exporter', 'sessions'].map(
        (name) => `user ${name} on #${sha256(passwords.app)} ${one(['~*', '~app:*'])} ${rules()}`,
      ),
    ];
    await using server = await startServer({
      engine: findEngine(),
      users: lines,
      admin: { username: 'admin', password: passwords.admin },
      config: {
        bind: '*',
        'protected-mode': 'no',
        loglevel: one(['notice', 'warning']),
        'acllog-max-len': one(['128', '1024']),
      },
    });
    const clients = await connectSome(server, lines, one, random);
    const admin = await openSession(endpointOf(server, '127.0.0.1', 'admin', passwords.admin));
    try {
      const facts = await look(server);
      const node = facts.nodes[0]!;
      const planned = planChanges(facts).map(({ change }) => change);
      const all: Change[] = [...planned, { kind: 'config', name: 'protected-mode', value: 'yes', was: 'no' }];
      for (const change of all.filter(({ kind }) => kind !== 'chmod')) {
        const said = new Set(clientsCutOff(change, node).map(({ name }) => name));
        changes++;
        await applyChange(admin.ask, change);
        for (const client of clients) {
          const goes = await goesOn(client);
          if (!goes) cut++;
          if (goes === said.has(client.name))
            wrong.push(
              `seed ${seed}: ${JSON.stringify(change)} ${goes ? 'does not cut off' : 'cuts off'} ${client.name} (${client.command.join(' ')})\n${lines.join('\n')}`,
            );
        }
        await applyChange(admin.ask, inverse(change));
        for (const client of clients)
          if (!(await goesOn(client))) {
            await client.session.close();
            client.session = await openSession(client.endpoint, client.name);
            await client.session.ask(...client.command);
          }
      }
    } finally {
      for (const { session } of clients) await session.close();
      await admin.close();
    }
  }
  assert.deepEqual(wrong, []);
  // Both outcomes were seen.
  assert.ok(changes > rounds && cut > 0, `${changes} changes, ${cut} clients cut off`);
});

function endpointOf(
  server: Server,
  host: string,
  username: string | undefined,
  password: string | undefined,
): Endpoint {
  return {
    host,
    port: server.port,
    tls: false,
    timeoutMs: 5000,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

async function connectSome(
  server: Server,
  lines: readonly string[],
  one: <T>(list: readonly T[]) => T,
  random: (bound: number) => number,
): Promise<Client[]> {
  const clients: Client[] = [];
  const users = lines.flatMap((line) => {
    const [, name = '', state] = line.split(' ');
    if (state === 'off') return [];
    const nopass = line.includes('nopass');
    return [{ name, password: name === 'admin' ? passwords.admin : passwords.app, nopass }];
  });
  for (let index = 0; index < 5; index++) {
    const user = one(users);
    const host = other !== undefined && random(2) === 0 ? other : '127.0.0.1';
    const endpoint = user.nopass
      ? endpointOf(server, host, undefined, undefined)
      : endpointOf(server, host, user.name, user.password);
    const name = `${user.name}-${index}`;
    const session = await openSession(endpoint, name);
    const command = one(commands);
    const works = await session.ask(...command).then(
      () => true,
      () => false,
    );
    if (works) clients.push({ name, endpoint, command, session });
    else await session.close();
  }
  return clients;
}

async function look(server: Server): Promise<Facts> {
  const { facts } = await gather({
    endpoints: [endpointOf(server, '127.0.0.1', 'admin', passwords.admin)],
    expectations,
    openSession,
    now: new Date(),
    sampleKeys: 0,
    follow: false,
  });
  return facts;
}
