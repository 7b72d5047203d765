import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findEngine, freePort } from '@redkeep/testing';
import { CliSandbox } from '../testing/run-cli.js';
import { topologyNames } from '../vocabulary/names.js';

const run = promisify(execFile);
/** Where the clients are installed that the snippets import. */
const repository = fileURLToPath(new URL('../../../../', import.meta.url));

describe('client settings', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
  });
  afterEach(() => sandbox.remove());

  const read = (file: string) => readFile(sandbox.path('redkeep', file), 'utf8');

  /** Runs the code unchanged, with one write and one read after it. */
  async function runSnippet(code: string, client: string) {
    const use = `
      console.log(await ${client}.set('shop:1', 'written'), await ${client}.get('shop:1'));
      process.exit(0);`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', code + use], {
      cwd: repository,
      timeout: 30_000,
    });
    assert.equal(stdout.trim(), 'OK written');
  }

  // The others take half a minute: npm run test:targets.
  for (const topology of process.env['REDKEEP_TARGETS'] === 'full' ? topologyNames : ['single']) {
    test(`of each client connect, ${topology}`, async () => {
      const port = String(await freePort());
      const answers = ['--profile', 'production', '--topology', topology, '--port', port, '--app', 'shop'];
      const server = ['--server', findEngine().server];
      assert.equal((await sandbox.run(['init', '--yes', ...server, ...answers])).code, 0);
      assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
      const page = await read('clients/shop.md');
      const blocks = [...page.matchAll(/^## (\S+)\n[^`]*(?:`[^`\n]+`[^`]*)*```(ts|sh)\n(.*?)^```$/gms)];
      assert.deepEqual(
        blocks.map(([, title]) => title),
        ['Redkeep', 'node-redis', 'ioredis', `${findEngine().kind}-cli`],
      );
      for (const [, title, language, code] of blocks) {
        if (language === 'ts') await runSnippet(code!, title === 'ioredis' ? 'redis' : 'client');
      }
      const { cli } = findEngine();
      assert.ok(cli, 'the engine under test has its command line tool');
      const shell = `${blocks[3]![3]!.trimEnd().replace(/ (redis|valkey)-cli /, ` ${cli} `)} SET shop:2 x`;
      assert.equal((await run('sh', ['-c', shell])).stdout.trim(), 'OK');
    });
  }

  test('in the environment are enough for Redkeep, from the strangest folder', async () => {
    const folder = sandbox.path('a "b\' $(c) #d\ne', 'redkeep');
    const port = String(await freePort());
    assert.equal(
      (await sandbox.run(['init', '--yes', '--dir', folder, '--profile', 'production', '--port', port])).code,
      0,
    );
    assert.equal((await sandbox.run(['up', '--detach', '--dir', folder])).code, 0);
    try {
      const program = `import { createClient, fromFile } from 'redkeep';
        const { REDIS_USERNAME: username, REDIS_PASSWORD_FILE: password } = process.env;
        const client = createClient({ credentialsProvider: fromFile({ username, password }) });
        await client.connect();
        console.log(await client.set('app:1', 'x'));
        process.exit(0);`;
      const script = 'set -a; . "$1"; exec "$2" --input-type=module --eval "$3"';
      const args = ['-c', script, 'sh', `${folder}/clients/app.env`, process.execPath, program];
      assert.equal((await run('sh', args, { cwd: repository })).stdout.trim(), 'OK');
    } finally {
      await sandbox.run(['down', '--dir', folder]);
    }
  });
});
