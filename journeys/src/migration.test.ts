/**
 * Applications move from node-redis 3, 4, 5 and 6 and from ioredis 5 and 6: each page shows a whole application, and what
 * changes in it is all that has to be changed. Before and after it prints the same.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { type Server, startServer } from '@redkeep/testing';
import { bothSides } from './testing/difference.js';
import { follow, succeed } from './testing/follow.js';
import { isFull, journeyShells, type Machine, startMachine, type Terminal } from './testing/machine.js';
import { blocksBelow, repository } from './testing/markdown.js';

const run = promisify(execFile);

interface Move {
  readonly page: string;
  readonly heading: string;
  readonly from: string;
  readonly releases: readonly number[];
}

const NODE_REDIS = 'docs/migrating-from-node-redis.md';
const MOVES: readonly Move[] = [
  { page: NODE_REDIS, heading: 'From version 3', from: 'redis', releases: [3] },
  { page: NODE_REDIS, heading: 'From version 4', from: 'redis', releases: [4] },
  { page: NODE_REDIS, heading: 'From version 5 or 6', from: 'redis', releases: [5, 6] },
  { page: 'docs/migrating-from-ioredis.md', heading: 'A whole application', from: 'ioredis', releases: [5, 6] },
];

async function sidesOf({ page, heading }: Move) {
  const [difference] = await blocksBelow(page, heading, 'diff');
  return bothSides(difference!.text);
}

/** The releases that this repository has installed, on a server with TLS and one user. */
describe('an application moves from the newest release', () => {
  let server: Server;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(repository, 'journeys/dist/moves-'));
    server = await startServer({ tls: true, users: ['user app on >secret ~app:* &app:* +@all -info'] });
    await writeFile(join(folder, 'password'), 'secret');
  });
  after(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  for (const move of MOVES.filter(({ releases }) => releases.includes(6)))
    test(`${move.from} 6`, async () => {
      const env = {
        PATH: process.env['PATH'],
        REDIS_URL: `rediss://localhost:${server.tlsPort}`,
        REDIS_USERNAME: 'app',
        REDIS_PASSWORD_FILE: join(folder, 'password'),
        REDIS_TLS_CA_FILE: server.tlsFiles!.ca,
      };
      const printed: Record<string, string> = {};
      for (const [name, text] of Object.entries(await sidesOf(move))) {
        const file = join(folder, `${move.from}-${name}.mjs`);
        await writeFile(file, text);
        printed[name] = (await run(process.execPath, [file], { env, timeout: 30_000 })).stdout;
      }
      assert.match(printed['before']!, /sold out/);
      assert.equal(printed['after'], printed['before']);
    });
});

if (isFull)
  for (const shell of await journeyShells())
    describe(`applications move, on the deployment of the README, in ${shell}`, () => {
      let machine: Machine;
      let terminal: Terminal;
      before(async () => {
        machine = await startMachine();
        terminal = await machine.open(shell);
        await follow(terminal, 'README.md', 'Start');
      });
      after(async () => {
        await terminal?.run('npx redkeep down');
        await terminal?.[Symbol.asyncDispose]();
        await machine?.[Symbol.asyncDispose]();
      });

      for (const move of MOVES)
        for (const release of move.releases)
          test(`${move.from} ${release}`, async () => {
            const { before, after } = await sidesOf(move);
            await machine.write('before.mjs', before);
            await machine.write('after.mjs', after);
            // The releases of others come from where this machine gets its packages, and not from the journey's registry.
            const { stdout: registry } = await run('npm', ['config', 'get', 'registry'], { cwd: repository });
            await succeed(
              terminal,
              `npm install --no-save --registry ${registry.trim()} ${move.from}@${release} redkeep@file:./node_modules/redkeep`,
            );
            const printed = await succeed(terminal, 'node before.mjs 2> before.err');
            assert.match(printed, /sold out/);
            assert.equal(await succeed(terminal, 'node after.mjs 2> after.err'), printed);
            assert.equal(await succeed(terminal, 'cat after.err'), '');
          });
    });
