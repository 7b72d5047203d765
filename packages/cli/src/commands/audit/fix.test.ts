import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findEngine, waitFor } from '@redkeep/testing';
import { auditSandbox } from '../../audit/testing/audit-cli.js';
import { type Fault, startHardened } from '../../audit/testing/hardened.js';
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
  test('shows the plan, mends, looks again, and takes everything back', async () => {
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

  test('says what to name when the journal speaks of another server', async () => {
    await using server = await startHardened(findEngine(), broken);
    await using cli = await auditSandbox(server, 'admin');
    await cli.audit('--fix', '--yes', '--fail-on', 'never');
    const { code, err } = await cli.sandbox.run(['audit', 'undo', 'redis://cache.invalid:1', '--user', 'x']);
    assert.equal(code, ExitCode.Usage);
    assert.match(err, new RegExp(`Name it: redkeep audit undo rediss://127.0.0.1:${server.tlsPort}`));
  });
});
