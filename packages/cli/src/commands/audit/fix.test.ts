import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findEngine, waitFor } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { gather } from '../../audit/gather/gather.js';
import { planChanges } from '../../audit/remedy/plan.js';
import { auditSandbox } from '../../audit/testing/audit-cli.js';
import { type Fault, passwords, requestFor, startHardened } from '../../audit/testing/hardened.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import { ExitCode } from '../../exit-codes.js';

const broken: Partial<Fault> = {
  config: { timeout: '0', 'acllog-max-len': '128', 'latency-monitor-threshold': '0', loglevel: 'warning' },
  users: (lines) => lines.map((line) => (line.startsWith('user app') ? `${line} +flushall` : line)),
};
const mended = ['ACL-001', 'CFG-012', 'LOG-003', 'LOG-004', 'LOG-008'];
const binary = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));

async function findingsOf(cli: Awaited<ReturnType<typeof auditSandbox>>): Promise<string[]> {
  const { out } = await cli.audit('--json', '--fail-on', 'never');
  const { findings } = JSON.parse(out) as { findings: { id: string }[] };
  return findings
    .map(({ id }) => id)
    .filter((id) => mended.includes(id))
    .sort();
}

interface Entry {
  readonly state: string;
}

describe('audit --fix and undo', () => {
  test('shows the plan, fixes, audits again, and takes everything back', async () => {
    await using server = await startHardened(findEngine(), broken);
    await using cli = await auditSandbox(server, 'admin');
    const asked = await cli.audit('--fix');
    assert.match(asked.err, /redkeep audit undo/);
    assert.match(asked.err, /need a person/);
    assert.match(asked.err, /Nothing was changed/);
    assert.deepEqual(await findingsOf(cli), mended);

    const { out } = await cli.audit('--fix', '--yes', '--fail-on', 'never');
    assert.match(out, /Fixed: [5-9]/);
    assert.deepEqual(await findingsOf(cli), []);
    await server.restart();
    assert.deepEqual(await findingsOf(cli), []);
    assert.equal((await stat(server.configFile)).mode & 0o777, 0o600);

    const undone = await cli.sandbox.run(['audit', 'undo', server.url, ...cli.access]);
    assert.equal(undone.code, ExitCode.Ok, undone.err);
    assert.deepEqual(await findingsOf(cli), mended);
    await server.restart();
    assert.deepEqual(await findingsOf(cli), mended);
    const again = await cli.sandbox.run(['audit', 'undo', server.url, ...cli.access]);
    assert.match(again.err, /nothing to take back/);
  });

  test('is finished by the next --fix when it was killed in the middle, and undo takes all of it back', async () => {
    await using server = await startHardened(findEngine(), broken);
    await using cli = await auditSandbox(server, 'admin');
    const journal = cli.sandbox.path('.redkeep/audit-journal.json');
    const entries = async () => JSON.parse(await readFile(journal, 'utf8')) as Entry[];
    const child = spawn(process.execPath, [binary, 'audit', server.url, ...cli.access, '--fix', '--yes'], {
      cwd: cli.sandbox.folder,
      stdio: 'ignore',
    });
    await waitFor(async () => (await entries()).some(({ state }) => state === 'done'), {
      timeout: 60_000,
      interval: 1,
    });
    child.kill('SIGKILL');
    await once(child, 'exit');

    const finished = await cli.audit('--fix', '--yes', '--fail-on', 'never');
    assert.equal(finished.code, ExitCode.Ok, finished.err);
    assert.deepEqual(await findingsOf(cli), []);
    assert.ok((await entries()).every(({ state }) => state === 'done'));
    await cli.sandbox.run(['audit', 'undo', server.url, ...cli.access]);
    assert.deepEqual(await findingsOf(cli), mended);
  });

  test('prints commands that run in a shell as they are printed, and so does what takes them back', async () => {
    await using server = await startHardened(findEngine(), broken);
    await using cli = await auditSandbox(server);
    assert.ok(server.engine.cli, 'the engine has a redis-cli');
    const { out } = await cli.audit('--json', '--fail-on', 'never');
    const report = JSON.parse(out) as AuditResult;
    const printed = report.findings
      .filter(({ id }) => mended.includes(id))
      .flatMap(({ occurrences }) => occurrences.flatMap(({ fix }) => fix.filter(({ automatic }) => automatic)));
    assert.ok(printed.length >= mended.length);
    const env = { PATH: `${cli.sandbox.path('bin')}:${process.env['PATH']}`, REDISCLI_AUTH: passwords.admin };
    await mkdir(cli.sandbox.path('bin'));
    await symlink(server.engine.cli, cli.sandbox.path('bin/redis-cli'));
    for (const { command } of printed)
      assert.match(execFileSync('sh', ['-ec', command], { env, encoding: 'utf8' }), /^OK/);
    assert.deepEqual(await findingsOf(cli), []);
    for (const { rollback } of [...printed].reverse())
      assert.match(execFileSync('sh', ['-ec', rollback ?? 'false'], { env, encoding: 'utf8' }), /^OK/);
    assert.deepEqual(await findingsOf(cli), mended);
  });

  test('leaves out what would cut off a client that is connected, and says which', async () => {
    await using server = await startHardened(findEngine(), { config: { timeout: '0' } });
    const client = createClient({
      url: server.url,
      username: 'admin',
      password: passwords.admin,
      name: 'report-writer',
      tls: { ca: server.pki?.ca ?? '' },
      socket: { reconnectStrategy: false },
    });
    await client.connect();
    try {
      const { facts } = await gather(requestFor(server));
      // Half an hour of silence cannot be waited for: it is put into what was seen.
      const nodes = facts.nodes.map((node) => ({
        ...node,
        clients: node.clients.observed
          ? {
              ...node.clients,
              value: node.clients.value.map((one) =>
                one.name === 'report-writer' ? { ...one, idleSeconds: 4000 } : one,
              ),
            }
          : node.clients,
      }));
      const plan = planChanges({ ...facts, nodes });
      const timeout = plan.find(({ check }) => check === 'CFG-012');
      assert.match(timeout?.cutsOff ?? '', /^1 connected client: admin@127\.0\.0\.1:\d+ \(report-writer\)$/);
      assert.deepEqual(
        plan.filter(({ check, cutsOff }) => check !== 'CFG-012' && cutsOff !== undefined),
        [],
      );
    } finally {
      client.destroy();
    }
  });

  test('says what to name when the journal speaks of another server', async () => {
    await using server = await startHardened(findEngine(), broken);
    await using cli = await auditSandbox(server, 'admin');
    await cli.audit('--fix', '--yes', '--fail-on', 'never');
    const { code, err } = await cli.sandbox.run(['audit', 'undo', 'redis://cache.invalid:1', '--user', 'x']);
    assert.equal(code, ExitCode.Usage);
    assert.match(err, new RegExp(`Name it: redkeep audit undo rediss://127.0.0.1:${server.tlsPort}`));
  });
});
