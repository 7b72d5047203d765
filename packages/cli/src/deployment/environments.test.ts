import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { findEngine, freePort } from '@redkeep/testing';
import { connect } from '../engine/connect-node.js';
import { CliSandbox } from '../testing/run-cli.js';

const run = promisify(execFile);

describe('environments of one application', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    await writeFile(sandbox.path('shop.json'), JSON.stringify({ applications: [{ name: 'shop', keys: ['shop:*'] }] }));
  });
  afterEach(async () => {
    await sandbox.run(['down', '--dir', 'staging']);
    await sandbox.remove('production');
  });

  const start = async (environment: string) => {
    const answers = ['--config', 'shop.json', '--profile', environment, '--port', String(await freePort())];
    assert.equal((await sandbox.run(['init', '--yes', '--dir', environment, ...answers])).code, 0);
    assert.equal((await sandbox.run(['up', '--detach', '--dir', environment])).code, 0);
    const config = JSON.parse(await readFile(sandbox.path(environment, 'redkeep.config.json'), 'utf8'));
    return config.port as number;
  };
  const target = async (environment: string, port: number, passwordOf = environment) => ({
    host: '127.0.0.1',
    port,
    username: 'shop',
    password: await readFile(sandbox.path(passwordOf, 'secrets/shop.password'), 'utf8'),
    caFile: sandbox.path(environment, 'pki/ca.crt'),
    certFile: sandbox.path(environment, 'pki/clients/shop.crt'),
    keyFile: sandbox.path(environment, 'pki/clients/shop.key'),
  });

  test('share the answers and nothing secret: what opens staging does not open production', async () => {
    await start('staging');
    const port = await start('production');
    (await connect(await target('production', port))).destroy();
    // The server is refused, too: its certificate is of another CA.
    await assert.rejects(connect(await target('staging', port)), /REDKEEP_CONNECTION_FAILED|certificate/i);
    const trusting = { ...(await target('staging', port)), caFile: sandbox.path('production/pki/ca.crt') };
    await assert.rejects(connect(trusting), /certificate|closed|alert|ended/i);
    await assert.rejects(connect(await target('production', port, 'staging')), /password|WRONGPASS|Authentication/i);
    const stores = await readFile(sandbox.path('production/secret-stores/vault.sh'), 'utf8');
    assert.match(stores, /redkeep\/production\/\$user/);
  });

  test('are watched by a script that has no password in its process list', async () => {
    const port = await start('production');
    const script = sandbox.path('production/health/node-1.sh');
    const { cli } = findEngine();
    const tools = sandbox.path('tools');
    await mkdir(tools);
    const record = sandbox.path('arguments');
    for (const name of ['redis-cli', 'valkey-cli']) {
      await writeFile(path.join(tools, name), `#!/bin/sh\necho "$0 $*" >> '${record}'\nexec '${cli}' "$@"\n`);
      await chmod(path.join(tools, name), 0o755);
    }
    const env = { PATH: `${tools}:${process.env['PATH']}` };
    await run('sh', [script], { env });
    const password = await readFile(sandbox.path('production/secrets/monitoring.password'), 'utf8');
    const seen = await readFile(record, 'utf8');
    assert.match(seen, new RegExp(`-p ${port} .*--user monitoring`));
    assert.ok(!seen.includes(password));
    await sandbox.run(['down', '--dir', 'production']);
    await assert.rejects(run('sh', [script], { env }));
  });
});
