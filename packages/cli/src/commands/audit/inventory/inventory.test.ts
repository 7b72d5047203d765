import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { findEngine, freePort, type Server } from '@redkeep/testing';
import { auditSandbox } from '../../../audit/testing/audit-cli.js';
import { openServer, startHardened } from '../../../audit/testing/hardened.js';
import { ExitCode } from '../../../exit-codes.js';
import type { FleetReport } from './fleet.js';

describe('redkeep audit --inventory', () => {
  let hardened: Server;
  let open: Server;
  let cli: Awaited<ReturnType<typeof auditSandbox>>;
  let deadPort: number;

  before(async () => {
    [hardened, open] = await Promise.all([startHardened(findEngine()), openServer(findEngine())]);
    cli = await auditSandbox(hardened);
    deadPort = await freePort();
    const { tlsFiles } = hardened;
    await mkdir(cli.sandbox.path('src'));
    await writeFile(
      cli.sandbox.path('src/app.js'),
      "const { createClient } = require('redis');\ncreateClient({ commandOptions: {}, url: 'redis://cache.example.com' });\n",
    );
    await writeFile(
      cli.sandbox.path('fleet.yaml'),
      `targets:
  - name: shop
    target: ${hardened.url}
    user: auditor
    passwordFile: password
    ca: ${tlsFiles!.ca}
    cert: ${tlsFiles!.clientCert}
    key: ${tlsFiles!.clientKey}
    roles: { admin: admin, app: application, auditor: auditor }
  - name: legacy
    target: ${open.url}
  - name: gone
    target: redis://127.0.0.1:${deadPort}
  - name: sources
    target: src
`,
    );
  });
  after(async () => {
    await cli.sandbox.remove();
    await hardened[Symbol.asyncDispose]();
    await open[Symbol.asyncDispose]();
  });

  /** With credentials in the environment, which no deployment may be sent: the open one would refuse them. */
  async function report(): Promise<FleetReport> {
    const { out, err } = await cli.sandbox.run(['audit', '--inventory', 'fleet.yaml', '--json'], {
      env: { REDKEEP_PASSWORD: 'test-only', REDKEEP_USER: 'nobody', REDIS_URL: 'redis://127.0.0.1:1' },
    });
    assert.ok(out.startsWith('{'), err);
    return JSON.parse(out) as FleetReport;
  }

  test('shows the worst first, and what could not be audited, without leaving out the rest', async () => {
    const { deployments, expiries, worse } = await report();
    assert.deepEqual(
      deployments.map(({ name }) => name),
      ['gone', 'legacy', 'shop', 'sources'],
    );
    const [gone, legacy, shop, sources] = deployments;
    assert.match(gone!.error!, /REDKEEP_CONNECTION_FAILED/);
    assert.equal(legacy!.grade, 'F');
    assert.equal(legacy!.since, undefined);
    assert.ok(shop!.grade !== null && shop!.grade !== 'F');
    assert.equal(sources!.grade, null);
    assert.equal(sources!.findings.high, 1);
    assert.deepEqual(worse, []);
    // The test's certificate ends in 30 days.
    assert.ok(
      expiries.some(({ deployment, what }) => deployment === 'shop' && what.startsWith('certificate CN=localhost')),
    );
  });

  test('says what got worse and what was fixed since last time, and keeps the history private', async () => {
    await writeFile(
      cli.sandbox.path('src/app.js'),
      "const { createClient } = require('redis');\ncreateClient({ commandOptions: {}, url: process.env.URL }).keys('*');\n",
    );
    const { deployments, worse } = await report();
    const { since } = deployments.find(({ name }) => name === 'sources')!;
    assert.match(since!.fixed.join(), /CLI-001/);
    assert.match(since!.appeared.join(), /CLI-012/);
    assert.deepEqual(worse, ['sources']);
    const unchanged = deployments.find(({ name }) => name === 'shop')!.since!;
    assert.deepEqual([unchanged.appeared, unchanged.fixed], [[], []]);
    assert.equal((await stat(cli.sandbox.path('fleet.yaml.history.jsonl'))).mode & 0o777, 0o600);
  });

  test('writes a page for the fleet and one for each deployment', async () => {
    const { code, out } = await cli.sandbox.run([
      'audit',
      '--inventory',
      'fleet.yaml',
      '--output',
      'audits',
      '--concurrency',
      '2',
    ]);
    assert.equal(code, ExitCode.Findings);
    assert.match(out, /^4 deployments: 1 F.*; 1 could not be audited\.$/m);
    const page = await readFile(cli.sandbox.path('audits/report.html'), 'utf8');
    assert.match(page, /href="legacy\/report\.html"/);
    assert.match(await readFile(cli.sandbox.path('audits/legacy/report.html'), 'utf8'), /Security audit/);
    assert.doesNotMatch(page, /href="gone/);
  });

  test('ends with 5 when no deployment could be audited', async () => {
    await writeFile(cli.sandbox.path('dead.yaml'), `- { name: gone, target: "redis://127.0.0.1:${deadPort}" }\n`);
    assert.equal((await cli.sandbox.run(['audit', '--inventory', 'dead.yaml'])).code, ExitCode.Connection);
  });

  test('says every bad line with its number, and audits nothing', async () => {
    await writeFile(
      cli.sandbox.path('bad.yaml'),
      'targets:\n  - name: a\n    target: redis://user:test-only@h\n  - name: ../b\n    target: x\n  - name: a\n    target: y\n    passwort: z\n  - target: x\n',
    );
    const { code, err } = await cli.sandbox.run(['audit', '--inventory', 'bad.yaml']);
    assert.equal(code, ExitCode.Usage);
    for (const line of [
      /bad\.yaml:3: target: has a password/,
      /bad\.yaml:4: name:/,
      /bad\.yaml:[68]:.*passwort/,
      /bad\.yaml:9: name/,
    ])
      assert.match(err, line);
    assert.doesNotMatch(err, /test-only/);
    await writeFile(cli.sandbox.path('bad.yaml'), 'targets:\n  - name: [\n');
    assert.match((await cli.sandbox.run(['audit', '--inventory', 'bad.yaml'])).err, /bad\.yaml:\d+:/);
    await writeFile(cli.sandbox.path('bad.yaml'), '');
    assert.match((await cli.sandbox.run(['audit', '--inventory', 'bad.yaml'])).err, /bad\.yaml:1:/);
  });

  test('refuses what means one deployment', async () => {
    for (const args of [['--fix'], ['--user', 'a'], ['redis://127.0.0.1:1'], ['--concurrency', '0']]) {
      const { code } = await cli.sandbox.run(['audit', '--inventory', 'fleet.yaml', ...args]);
      assert.equal(code, ExitCode.Usage, args.join(' '));
    }
  });
});
