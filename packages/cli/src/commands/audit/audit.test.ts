import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { findEngine, freePort, type Server } from '@redkeep/testing';
import { auditorRules } from '../../audit/auditor-acl.js';
import { auditSandbox } from '../../audit/testing/audit-cli.js';
import { startHardened } from '../../audit/testing/hardened.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import { ExitCode } from '../../exit-codes.js';

const machineOnly = /^(HOST-00[16789]|NET-015|VER-00[1-5])$/;

describe('redkeep audit', () => {
  let server: Server;
  let cli: Awaited<ReturnType<typeof auditSandbox>>;
  before(async () => {
    server = await startHardened(findEngine(), {
      users: (lines) => lines.map((line) => (line.startsWith('user app') ? `${line} +flushall` : line)),
      config: { timeout: '0' },
    });
    cli = await auditSandbox(server);
  });
  after(async () => {
    await cli.sandbox.remove();
    await server[Symbol.asyncDispose]();
  });

  async function report(...args: string[]): Promise<AuditResult> {
    return JSON.parse((await cli.audit('--json', '--fail-on', 'never', ...args)).out) as AuditResult;
  }

  test('prints a user that is enough, and one for Sentinels', async () => {
    const { out, code } = await cli.sandbox.run(['audit', '--print-acl']);
    assert.equal(code, ExitCode.Ok);
    for (const rule of auditorRules()) assert.ok(out.includes(rule), rule);
    assert.match(out, /On every Sentinel:\nACL SETUSER auditor .*'\+sentinel\|masters'/);
  });

  test('ends with 1 at findings from --fail-on up, and with 0 below', async () => {
    const high = await cli.audit('--fail-on', 'high');
    assert.equal(high.code, ExitCode.Findings);
    assert.match(high.out, /ACL-001 {2}A user can run dangerous commands.*high 8\.8/);
    assert.equal((await cli.audit('--fail-on', 'critical')).code, ExitCode.Ok);
    assert.equal((await cli.audit('--fail-on', 'never')).code, ExitCode.Ok);
    const wrong = await cli.audit('--fail-on', 'terrible');
    assert.equal(wrong.code, ExitCode.Usage);
    assert.match(wrong.err, /critical|low/);
  });

  test('ends with 3 when a critical check has no result, and with 5 when nothing answers', async () => {
    const blind = await cli.sandbox.run(['audit', server.url, '--ca', server.tlsFiles!.ca, '--fail-on', 'never']);
    assert.equal(blind.code, ExitCode.Incomplete, blind.out);
    const nobody = await cli.sandbox.run(['audit', `rediss://127.0.0.1:${await freePort()}`, ...cli.access]);
    assert.equal(nobody.code, ExitCode.Connection);
    assert.match(nobody.err, /No server answers/);
  });

  test('fails on new findings only, with a baseline', async () => {
    await cli.audit('--output', 'then', '--fail-on', 'never');
    const same = await cli.audit('--baseline', 'then/report.json', '--fail-on', 'info');
    assert.equal(same.code, ExitCode.Ok, same.err);
    assert.match(same.err, /0 findings are new/);
    await server.command('CONFIG', 'SET', 'acllog-max-len', '10');
    const more = await cli.audit('--baseline', 'then/report.json', '--fail-on', 'info', '--output', 'now');
    await server.command('CONFIG', 'SET', 'acllog-max-len', '1024');
    assert.equal(more.code, ExitCode.Findings);
    const compared = await cli.sandbox.run(['audit', 'compare', 'then/report.json', 'now/report.json']);
    assert.equal(compared.code, ExitCode.Findings);
    assert.match(compared.out, /New: [12]\n(.*\n)*.*LOG-004/);
    const back = await cli.sandbox.run(['audit', 'compare', 'now/report.json', 'then/report.json', '--json']);
    assert.equal(back.code, ExitCode.Ok);
    assert.ok((JSON.parse(back.out) as { fixed: string[] }).fixed.some((line) => line.startsWith('LOG-004')));
    const wrong = await cli.audit('--baseline', 'password');
    assert.equal(wrong.code, ExitCode.Usage);
    assert.match(wrong.err, /is not an audit report/);
  });

  test('takes waived findings out until they expire, and lists them', async () => {
    const waive = (expires: string) =>
      writeFile(
        cli.sandbox.path('waivers.yaml'),
        `- check: ACL-001\n  owner: platform team\n  reason: app flushes its own test data\n  expires: ${expires}\n`,
      );
    await waive('2099-01-31');
    const waived = await report('--waivers', 'waivers.yaml');
    assert.ok(!waived.findings.some(({ id }) => id === 'ACL-001'));
    assert.deepEqual(
      waived.waived.map(({ finding, owner }) => [finding.id, owner]),
      [['ACL-001', 'platform team']],
    );
    await waive('2020-01-31');
    const expired = await report('--waivers', 'waivers.yaml');
    assert.ok(expired.findings.some(({ id }) => id === 'ACL-001'));
    assert.match(expired.notes.join('\n'), /waiver of ACL-001 .*expired on 2020-01-31/);
    await writeFile(cli.sandbox.path('waivers.yaml'), '- check: ACL-001\n  owner: me\n  expires: 2099-01-31\n');
    const without = await cli.audit('--waivers', 'waivers.yaml');
    assert.equal(without.code, ExitCode.Usage);
    assert.match(without.err, /reason/);
  });

  test('takes newer CVE data, and says how old data is', async () => {
    const shipped = JSON.parse(await readFile(new URL('../../../data/cves.json', import.meta.url), 'utf8')) as {
      date: string;
    };
    const old = await report();
    const days = Math.floor((Date.parse(old.observedAt) - Date.parse(shipped.date)) / 86_400_000);
    assert.equal(/The CVE data is \d+ days old/.test(old.notes.join()), days > 30);
    await writeFile(
      cli.sandbox.path('cves.json'),
      JSON.stringify({ ...shipped, date: new Date().toISOString().slice(0, 10) }),
    );
    assert.doesNotMatch((await report('--cve-data', 'cves.json')).notes.join(), /days old/);
    await writeFile(cli.sandbox.path('cves.json'), JSON.stringify({ ...shipped, date: '2020-01-01' }));
    assert.match(
      (await report('--cve-data', 'cves.json')).notes.join(),
      /The CVE data is \d{4} days old \(2020-01-01\)/,
    );
    const wrong = await cli.audit('--cve-data', 'password');
    assert.equal(wrong.code, ExitCode.Usage);
    assert.match(wrong.err, /is not CVE data/);
  });

  test('judges by profile: a regulated deployment has more to show', async () => {
    const ids = async (profile: string) =>
      (await report('--profile', profile)).findings.map(({ id }) => id).filter((id) => !machineOnly.test(id));
    const [development, production, regulated] = [
      await ids('development'),
      await ids('production'),
      await ids('regulated'),
    ];
    assert.ok(development.length <= production.length && production.length < regulated.length);
    assert.ok(regulated.includes('TLS-017'));
  });

  test('gives every remedy a command or advice, and every command its rollback or the reason why there is none', async () => {
    for (const { id, occurrences } of (await report('--profile', 'regulated')).findings)
      for (const { fix } of occurrences) {
        assert.ok(fix.length > 0, id);
        for (const step of fix) assert.ok(step.command.startsWith('#') || step.rollback, `${id}: ${step.command}`);
      }
  });

  test('is an error, not a grade, where no server of ours answers, or the password is wrong', async () => {
    for (const answer of ['HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n', 'ERROR\r\n', 'SSH-2.0-x\r\n']) {
      const other = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.on('data', () => socket.end(answer));
      });
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = other.address() as AddressInfo;
        const { code, out, err } = await cli.sandbox.run(['audit', `redis://127.0.0.1:${port}`]);
        assert.equal(code, ExitCode.Connection, out);
        assert.match(err, /is not a Redis, Valkey or Dragonfly server/);
      } finally {
        other.close();
      }
    }
    await writeFile(cli.sandbox.path('wrong'), 'not the password');
    const wrong = await cli.audit('--password-file', 'wrong');
    assert.equal(wrong.code, ExitCode.Connection);
    assert.match(wrong.err, /refused the credentials of auditor/);
  });

  test('gives findings but no grade for files, and one broken file hides no other', async () => {
    const folder = cli.sandbox.path('project');
    await mkdir(folder);
    await writeFile(`${folder}/a.yaml`, 'services:\n  cache: [unclosed\n');
    await writeFile(`${folder}/compose.yaml`, 'services:\n  cache:\n    image: redis:7\n    privileged: true\n');
    execFileSync('mkfifo', [`${folder}/pipe.yaml`]);
    const { out } = await cli.sandbox.run(['audit', folder, '--json', '--fail-on', 'never']);
    const result = JSON.parse(out) as AuditResult;
    assert.deepEqual([result.grade, result.score, result.ungraded], [null, null, 'no server was audited, only files']);
    assert.ok(result.findings.some(({ id }) => id === 'CTR-001'));
    assert.ok(
      result.notes.some((note) => note.includes('a.yaml could not be read')),
      result.notes.join(),
    );
    // CTR-006 has no fault in the good file; of the broken one nobody knows.
    assert.equal(result.checks.find(({ id }) => id === 'CTR-006')?.status, 'unknown');
    const text = await cli.sandbox.run(['audit', folder, '--fail-on', 'never']);
    assert.match(text.out, /No grade/);
    assert.doesNotMatch(text.out, /Score \d|Grade [A-F]/);
  });

  test('audits configuration files as files, each finding at its line, whatever listens on that port here', async () => {
    const folder = cli.sandbox.path('files');
    await mkdir(folder);
    await writeFile(`${folder}/more.conf`, 'protected-mode no\n');
    await writeFile(
      `${folder}/redis.conf`,
      `port ${server.port || server.tlsPort}\nbind 127.0.0.1\nbind 0.0.0.0\nrequirepass "123456"\ninclude more.conf\n`,
    );
    await writeFile(
      `${folder}/compose.yaml`,
      'x-base: &base\n  image: redis:8\n  privileged: true\nservices:\n  plain:\n    <<: *base\n    command: redis-server --bind 0.0.0.0 --enable-module-command yes\n  child:\n    extends: plain\n    privileged: false\n    ports: ["${ADDRESS:-0.0.0.0}:6379:6379"]\n',
    );
    const { out } = await cli.sandbox.run(['audit', folder, '--json', '--fail-on', 'never']);
    const result = JSON.parse(out) as AuditResult;
    assert.equal(result.grade, null);
    const at = (id: string) =>
      result.findings
        .filter((one) => one.id === id)
        .flatMap(({ occurrences }) =>
          occurrences.map((one) => one.at && `${one.at.file.split('/').at(-1)}:${one.at.line}`),
        );
    assert.ok(at('NET-003').includes('more.conf:1'), String(at('NET-003')));
    assert.ok(at('AUTH-005').length === 1 && result.findings.some(({ id }) => id === 'NET-002'));
    // The merged container is privileged; the one that extends it takes that back, and is published on every address.
    assert.deepEqual(at('CTR-001'), ['compose.yaml:3']);
    assert.deepEqual(at('CTR-007'), ['compose.yaml:11']);
    // Options of a command are settings: no password, and modules at run time.
    for (const id of ['AUTH-002', 'CFG-002'])
      assert.ok(
        result.findings.some(
          (one) => one.id === id && one.occurrences.some(({ subject }) => subject.includes('plain')),
        ),
        id,
      );
    const alone = JSON.parse(
      (await cli.sandbox.run(['audit', `${folder}/redis.conf`, '--json', '--fail-on', 'never'])).out,
    ) as AuditResult;
    assert.deepEqual(
      alone.nodes.map(({ address }) => address),
      [`${folder}/redis.conf`],
    );
    assert.equal(alone.grade, null);
  });

  test('reads records of what no server knows', async () => {
    const stale = '2020-01-01';
    await writeFile(
      cli.sandbox.path('records.yaml'),
      `rotations: { app: ${stale} }\nbackups: [{ takenAt: ${stale}, encrypted: false, offHost: false, keyBeside: false }]\nrestoreTest: ${stale}\nmonitoring: { seenAt: ${stale}, rules: true, aclLog: true, changes: false, throttles: true }\ndormant: [former]\n`,
    );
    const found = (await report('--records', 'records.yaml')).findings.map(({ id }) => id);
    for (const id of ['AUTH-010', 'BKP-003', 'BKP-004', 'BKP-005', 'LOG-007', 'LOG-010', 'ACL-013'])
      assert.ok(found.includes(id as never), id);
    await writeFile(cli.sandbox.path('records.yaml'), 'backup: []\n');
    const wrong = await cli.audit('--records', 'records.yaml');
    assert.equal(wrong.code, ExitCode.Usage);
    assert.match(wrong.err, /is not a file of records/);
  });

  test('judges users by declared roles, never by their names, and remembers them in the file of waivers', async () => {
    await writeFile(cli.sandbox.path('roles.yaml'), '# accepted by the platform team\n[]\n');
    const access = cli.access.slice(0, cli.access.indexOf('--roles'));
    const audit = async (...args: string[]) =>
      JSON.parse(
        (
          await cli.sandbox.run([
            'audit',
            server.url,
            ...access,
            ...cli.access.slice(access.length + 4),
            ...args,
            '--json',
          ])
        ).out,
      ) as AuditResult;
    const powerful = (result: AuditResult) =>
      result.findings.flatMap(({ id, occurrences }) =>
        id === 'ACL-010' ? occurrences.map((one) => one.evidence) : [],
      );
    const undeclared = await audit('--waivers', 'roles.yaml');
    assert.match(powerful(undeclared).join(), /^admin \(role not declared\) can read or change credentials: /);
    // What takes rights away from somebody who may be the operator is not for --fix.
    assert.ok(
      undeclared.findings.every(
        ({ id, occurrences }) =>
          !id.startsWith('ACL-0') ||
          occurrences.every(
            ({ evidence, fix }) => !evidence.startsWith('admin') || fix.every(({ automatic }) => !automatic),
          ),
      ),
    );
    assert.deepEqual(powerful(await audit('--waivers', 'roles.yaml', '--roles', 'admin=admin')), []);
    assert.match(await readFile(cli.sandbox.path('roles.yaml'), 'utf8'), /roles:\n {2}admin: admin/);
    assert.deepEqual(powerful(await audit('--waivers', 'roles.yaml')), []);
  });

  test('says what it cannot read', async () => {
    for (const [args, expected] of [
      [['http://example.com'], /not the scheme of a server/],
      [['nowhere'], /neither a URL nor a file/],
      [['password'], /is not a file that the audit can read/],
      [[server.url, '--profile', 'paranoid'], /Unknown profile/],
      [[server.url, '--timeout', 'long'], /not a number of milliseconds/],
      [[server.url, '--sample-keys', 'x'], /not a whole number/],
    ] as const) {
      const { code, err } = await cli.sandbox.run(['audit', ...args]);
      assert.equal(code, ExitCode.Usage, `${args.join(' ')}: ${err}`);
      assert.match(err, expected);
    }
  });
});
