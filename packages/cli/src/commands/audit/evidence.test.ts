import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findEngine, rawCommand, type Server } from '@redkeep/testing';
import { auditSandbox } from '../../audit/testing/audit-cli.js';
import { passwords, startHardened } from '../../audit/testing/hardened.js';
import { ExitCode } from '../../exit-codes.js';

/** Planted wherever a deployment keeps secrets or personal data; none of them may come out again. */
const canaries = {
  clearPassword: 'test-only-canary-acl-Qz7Lw2Xn9Vb4Tk8R',
  requirepass: 'test-only-canary-requirepass-5fH2kM9pQ',
  masterauth: 'test-only-canary-masterauth-8sJ4dW6tY',
  keyFilePass: 'test-only-canary-keypass-3xC7vB1nZ',
  sourcePassword: 'test-only-canary-source-6gT5rE2wA',
  composePassword: 'test-only-canary-compose-9uI3oP8lK',
  keyName: 'person-canary-maria@example.com',
};

describe('audit --evidence', () => {
  let server: Server;
  let cli: Awaited<ReturnType<typeof auditSandbox>>;

  before(async () => {
    server = await startHardened(findEngine(), {
      users: (lines) => [
        ...lines.map((line) => (line.startsWith('user app ') ? `${line} >${canaries.clearPassword}` : line)),
        `user reader on >${canaries.clearPassword} ~reader:* resetchannels -@all +get`,
      ],
      config: {
        requirepass: canaries.requirepass,
        masterauth: canaries.masterauth,
        'tls-client-key-file-pass': canaries.keyFilePass,
      },
    });
    cli = await auditSandbox(server);
    await writeFile(
      cli.sandbox.path('app.js'),
      `import { createClient } from 'redis';\nconst url = 'redis://app:${canaries.sourcePassword}@cache.example.com';\ncreateClient({ username: 'a', password: '${canaries.sourcePassword}' });\n`,
    );
    await writeFile(
      cli.sandbox.path('compose.yaml'),
      `services:\n  cache:\n    image: redis:7\n    command: redis-server --requirepass ${canaries.composePassword}\n    environment: { REDIS_PASSWORD: ${canaries.composePassword} }\n    healthcheck: { test: ["CMD", "redis-cli", "-a", "${canaries.composePassword}", "ping"] }\n`,
    );
    // A denied key is in ACL LOG.
    const { tls, port } = server.target;
    const login = { username: 'app', password: passwords.app };
    await rawCommand({ port, ...(tls && { tls }), ...login }, ['GET', canaries.keyName]).catch(() => undefined);
  });
  after(async () => {
    await cli.sandbox.remove();
    await server[Symbol.asyncDispose]();
  });

  let run: Awaited<ReturnType<typeof cli.audit>>;
  before(async () => {
    run = await cli.sandbox.run([
      'audit',
      server.url,
      '.',
      'compose.yaml',
      ...cli.access,
      ...['--evidence', 'evidence', '--output', 'out', '--sarif', 'out/a.sarif', '--csv', 'out/a.csv'],
      ...['--junit', 'out/a.xml', '--markdown', 'out/a.md', '--fail-on', 'never'],
    ]);
  });

  test('writes, signs and verifies; no secret is in it, nor in any other output', async () => {
    assert.equal(run.code, ExitCode.Ok, run.err);
    const texts = [run.out, run.err];
    for (const folder of ['evidence', 'out'])
      for (const file of await readdir(cli.sandbox.path(folder)))
        texts.push((await readFile(cli.sandbox.path(folder, file))).toString('latin1'));
    const secrets = [...Object.values(canaries), ...Object.values(passwords)];
    for (const secret of secrets) {
      const forms = [
        secret,
        Buffer.from(secret).toString('base64').replace(/=+$/, ''),
        Buffer.from(secret).toString('hex'),
        createHash('sha256').update(secret).digest('hex'),
      ];
      for (const form of forms) assert.ok(!texts.some((text) => text.includes(form)), `${secret} as ${form}`);
    }
    // The bundle is not empty of what it is for.
    const facts = JSON.parse(await readFile(cli.sandbox.path('evidence/facts.json'), 'utf8'));
    assert.equal(facts.nodes[0].users.value.find((user: { name: string }) => user.name === 'app').name, 'app');

    const fingerprint = run.err.match(/signed by key ([0-9a-f]{64})/)?.[1];
    const genuine = await cli.sandbox.run(['audit', 'verify', 'evidence', '--fingerprint', fingerprint!]);
    assert.equal(genuine.code, ExitCode.Ok, genuine.out + genuine.err);
    assert.equal((await cli.sandbox.run(['audit', 'verify', 'evidence'])).code, ExitCode.Incomplete);
    const other = await cli.sandbox.run(['audit', 'verify', 'evidence', '--fingerprint', '0'.repeat(64)]);
    assert.equal(other.code, ExitCode.Findings);
  });

  const tampering: readonly [string, (folder: string) => Promise<unknown>, RegExp][] = [
    ['a changed report', (folder) => writeFile(join(folder, 'report.json'), '{}'), /report\.json was changed/],
    ['a missing file', (folder) => rm(join(folder, 'facts.json')), /facts\.json is missing/],
    ['a file too many', (folder) => writeFile(join(folder, 'more.txt'), 'x'), /more\.txt is not in the manifest/],
    [
      'another grade in the manifest',
      async (folder) => {
        const text = await readFile(join(folder, 'manifest.json'), 'utf8');
        await writeFile(join(folder, 'manifest.json'), text.replace(/"grade": "."/, '"grade": "A" '));
      },
      /signature/,
    ],
    ['no signature', (folder) => rm(join(folder, 'manifest.sig')), /manifest\.sig is missing/],
  ];
  for (const [index, [name, change, expected]] of tampering.entries()) {
    test(`tells ${name}`, async () => {
      const folder = `evidence-${index}`;
      await cp(cli.sandbox.path('evidence'), cli.sandbox.path(folder), { recursive: true });
      await change(cli.sandbox.path(folder));
      const { code, out } = await cli.sandbox.run(['audit', 'verify', folder]);
      assert.equal(code, ExitCode.Findings);
      assert.match(out, expected);
    });
  }

  test('never overwrites evidence', async () => {
    const again = await cli.audit('--evidence', 'evidence', '--fail-on', 'never');
    assert.equal(again.code, ExitCode.Usage);
    assert.match(again.err, /not empty/);
  });
});
