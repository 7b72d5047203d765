import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { rawCommand, type Server, startServer } from '@redkeep/testing';
import { secretForms } from '../../audit/evidence/bundle.js';
import { ExitCode } from '../../exit-codes.js';
import { CliSandbox } from '../../testing/run-cli.js';

const run = promisify(execFile);

/** Planted wherever a server has secrets or personal data; none may come out in any form. */
const canaries = {
  requirepass: 'test-only-canary-requirepass-5fH2kM9pQ',
  masterauth: 'test-only-canary-masterauth-8sJ4dW6tY',
  clearAclPassword: 'test-only-canary-acl-Qz7Lw2Xn9Vb4Tk8R',
  lateAclPassword: 'test-only-canary-late-3xC7vB1nZ0pLw',
  value: 'test-only-canary-value-6gT5rE2wA',
  slowValue: 'test-only-canary-slow-9uI3oP8lKjH',
  keyName: 'maria.canary@example.com',
  passwordTypedAsUser: 'test-only-canary-typed-1qA2wS3eD',
  scriptToken: 'test-only-canary-script-7yU8iO9pL',
};

describe('redkeep incident collect', () => {
  let sandbox: CliSandbox;
  let server: Server;
  let env: Record<string, string>;
  let identity: string;
  let recipient: string;

  before(async () => {
    sandbox = await CliSandbox.create();
    env = { HOME: sandbox.folder, REDKEEP_PASSWORD: canaries.requirepass };
    server = await startServer({
      password: canaries.requirepass,
      config: {
        masterauth: canaries.masterauth,
        user: `reader on >${canaries.clearAclPassword} ~reader:* resetchannels -@all +get`,
        logfile: 'server.log',
        'slowlog-log-slower-than': '0',
      },
    });
    await server.command('ACL', 'SETUSER', 'late', 'on', `>${canaries.lateAclPassword}`, '~*', '+get');
    await server.command('SET', canaries.keyName, canaries.value);
    await server.command('SET', 'token', canaries.slowValue);
    await server.command('EVAL', `return '${canaries.scriptToken}'`, '0');
    const login = { port: server.port, username: canaries.passwordTypedAsUser, password: 'x-wrong-password-x' };
    await rawCommand(login, ['PING']).catch(() => undefined);
    const reader = { port: server.port, username: 'reader', password: canaries.clearAclPassword };
    await rawCommand(reader, ['GET', canaries.keyName]).catch(() => undefined);
    identity = sandbox.path('identity.txt');
    recipient = (await sandbox.run(['backup', 'key', 'new', 'identity.txt'])).out.trim();
  });
  after(async () => {
    await server.stop();
    await sandbox.remove();
  });

  const cli = (...args: string[]) => sandbox.run(['incident', ...args], { env });
  const collect = (incident: string, ...args: string[]) =>
    cli('collect', server.url, '--incident', incident, '--json', ...args);
  const folderOf = (out: string) => (JSON.parse(out) as { folder: string }).folder;

  async function everythingIn(folder: string): Promise<string> {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
    return (await Promise.all(files.map((file) => readFile(file, 'latin1')))).join('\n');
  }

  test('collects everything, changes nothing, and has no secret of the server in it in any form', async () => {
    const state = async () =>
      JSON.stringify([await server.command('CONFIG', 'GET', '*'), await server.command('ACL', 'LIST')]);
    const before = await state();
    const result = await collect('plain');
    assert.equal(result.code, ExitCode.Ok, result.err + result.out);
    assert.equal(await state(), before);
    const text = await everythingIn(sandbox.path('plain'));
    for (const [name, canary] of Object.entries(canaries))
      for (const form of secretForms(canary)) assert.ok(!text.includes(form), `${name} as ${form}`);
    // What an analyst needs is there all the same.
    for (const wanted of ['user late on', 'cmdstat_eval', 'addr=127.0.0.1', 'EVAL', 'WRONGPASS'])
      assert.ok(text.includes(wanted), wanted);
    assert.ok(!/[#>][0-9a-f]{64}/.test(text), 'no hash of a password');
  });

  test('is verified by openssl alone, and every change of it is found', async () => {
    const folder = folderOf((await collect('signed')).out);
    assert.match((await run('sh', [path.join(folder, 'verify.sh')])).stdout, /Every file is as it was signed/);
    await run('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: folder });
    const fingerprint = (JSON.parse((await cli('verify', folder, '--json')).out) as { fingerprint: string })
      .fingerprint;
    assert.equal((await cli('verify', folder)).code, ExitCode.Incomplete, 'nobody said whose key it is');
    assert.equal((await cli('verify', folder, '--fingerprint', fingerprint)).code, ExitCode.Ok);
    assert.equal((await cli('verify', folder, '--fingerprint', '0'.repeat(64))).code, ExitCode.Findings);
    const names = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));
    assert.ok(names.length > 20);
    const copy = sandbox.path('changed');
    for (const name of names) {
      for (const change of name.includes('artefacts/01') ? (['removed'] as const) : (['changed'] as const)) {
        await cp(folder, copy, { recursive: true });
        if (change === 'changed') await appendFile(path.join(copy, name), 'x');
        else await rm(path.join(copy, name));
        const verified = await cli('verify', copy, '--fingerprint', fingerprint);
        assert.notEqual(verified.code, ExitCode.Ok, `${name} ${change}`);
        await rm(copy, { recursive: true });
      }
    }
    // Somebody who signs anew with a key of their own still has to forge every link.
    const broken = (await readFile(path.join(folder, 'chain.jsonl'), 'utf8')).replace('{"seq":3', 'x{"seq":3');
    await cp(folder, copy, { recursive: true });
    await writeFile(path.join(copy, 'chain.jsonl'), broken);
    const { flaws } = JSON.parse((await cli('verify', copy, '--json')).out) as { flaws: string[] };
    assert.ok(
      flaws.some((flaw) => flaw.includes('line 4')),
      flaws.join(),
    );
    await rm(copy, { recursive: true });
    await cp(folder, copy, { recursive: true });
    await writeFile(path.join(copy, 'artefacts', 'planted.txt'), 'planted');
    assert.match((await cli('verify', copy, '--fingerprint', fingerprint)).out, /planted\.txt was added/);
  });

  test('is sealed to recipients, with the data where that was asked for', async () => {
    const result = await collect('sealed', '--recipient', recipient, '--with-data');
    assert.equal(result.code, ExitCode.Ok, result.err);
    const folder = folderOf(result.out);
    const text = await everythingIn(folder);
    assert.ok(!text.includes('cmdstat_eval') && !text.includes('late on'), 'in clear');
    const names = await readdir(path.join(folder, 'artefacts'));
    assert.ok(names.length > 20 && names.every((name) => name.endsWith('.age')));
    const users = names.find((name) => name.includes('users'))!;
    const opened = await run('age', ['-d', '-i', identity, path.join(folder, 'artefacts', users)]);
    assert.match(opened.stdout, /user late on/);
    await run('sh', [path.join(folder, 'verify.sh')]);
    const restored = await sandbox.run([
      ...['restore', '--store', path.join(folder, 'data'), '--source', 'incident', '--identity', identity],
      ...['--unverified-writer', '--out', 'restored'],
    ]);
    assert.equal(restored.code, ExitCode.Ok, restored.err);
    const noKey = await collect('refused', '--with-data');
    assert.equal(noKey.code, ExitCode.Usage);
  });

  test('says what it would ask, and asks nothing', async () => {
    const before = (await server.info('commandstats'))['cmdstat_acl|list'];
    const result = await cli('collect', server.url, '--dry-run', '--incident', 'none');
    assert.equal(result.code, ExitCode.Ok);
    for (const word of ['CLIENT LIST', 'ACL LOG 128', 'FUNCTION LIST WITHCODE', 'nft list ruleset'])
      assert.ok(result.out.includes(word), word);
    assert.equal((await server.info('commandstats'))['cmdstat_acl|list'], before);
  });

  test('asks only what reads', async () => {
    const writes = (info: Record<string, string>) =>
      Object.keys(info).filter((name) =>
        /cmdstat_(?:set|del|config\|set|config\|rewrite|acl\|setuser|save|bgsave)/.test(name),
      );
    const counted = async () =>
      writes(await server.info('commandstats'))
        .map((name) => name)
        .sort();
    const before = await counted();
    await collect('reading');
    assert.deepEqual(await counted(), before);
  });

  test('records what could not be read, for a user with few rights', async () => {
    await server.command('ACL', 'SETUSER', 'narrow', 'on', '>narrow-password-1', '~*', '-@all', '+info', '+ping');
    const narrow = { HOME: sandbox.folder, REDKEEP_USER: 'narrow', REDKEEP_PASSWORD: 'narrow-password-1' };
    const result = await sandbox.run(['incident', 'collect', server.url, '--incident', 'narrow', '--json'], {
      env: narrow,
    });
    assert.equal(result.code, ExitCode.Incomplete);
    const { missing } = JSON.parse(result.out) as { missing: string[] };
    assert.ok(
      missing.some((text) => /users: .*NOPERM|users: .*permission/i.test(text)),
      missing.join('\n'),
    );
    await server.command('ACL', 'DELUSER', 'narrow');
  });

  test('is timestamped by a real authority (RFC 3161), and openssl verifies it', async () => {
    await using authority = await startAuthority(sandbox.path('tsa'));
    const result = await collect('stamped', '--timestamp', authority.url);
    assert.equal(result.code, ExitCode.Ok, result.err);
    const folder = folderOf(result.out);
    const verified = await run('sh', [path.join(folder, 'verify.sh'), authority.caFile]);
    assert.match(verified.stdout, /Time stamp:/);
    assert.match(verified.stdout + verified.stderr, /Verification: OK/);
    assert.equal((await cli('verify', folder)).code, ExitCode.Incomplete, 'the timestamp is not a foreign file');

    const later = folderOf((await collect('later')).out);
    assert.equal((await cli('timestamp', later, '--authority', authority.url)).code, ExitCode.Ok);
    await run('sh', [path.join(later, 'verify.sh'), authority.caFile]);
  });

  test('keeps the evidence when the authority lies or is away', async () => {
    await using liar = await answering(Buffer.from('not a timestamp'));
    const result = await collect('liar', '--timestamp', liar.url);
    assert.equal(result.code, ExitCode.Incomplete);
    await run('sh', [path.join(folderOf(result.out), 'verify.sh')]);
    // A true reply, for another request.
    await using authority = await startAuthority(sandbox.path('tsa2'));
    const other = folderOf((await collect('other', '--timestamp', authority.url)).out);
    await using replaying = await answering(await readFile(path.join(other, 'SHA256SUMS.tsr')));
    const replayed = await collect('replayed', '--timestamp', replaying.url);
    assert.equal(replayed.code, ExitCode.Incomplete);
    assert.match(replayed.err, /for another request/);
  });
});

interface Authority extends AsyncDisposable {
  readonly url: string;
  readonly caFile: string;
}

/** A time-stamping authority made of `openssl ts`, behind HTTP. */
async function startAuthority(folder: string): Promise<Authority> {
  await mkdir(folder, { recursive: true });
  const openssl = (...args: string[]) => run('openssl', args, { cwd: folder });
  const subject = (name: string) => ['-subj', `/CN=${name}`, '-nodes', '-newkey', 'rsa:2048'];
  await openssl('req', '-x509', ...subject('test-only TSA CA'), '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2');
  await openssl('req', ...subject('test-only TSA'), '-keyout', 'tsa.key', '-out', 'tsa.csr');
  await writeFile(path.join(folder, 'ext'), 'extendedKeyUsage=critical,timeStamping\n');
  await openssl(
    ...['x509', '-req', '-in', 'tsa.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial'],
    ...['-days', '2', '-extfile', 'ext', '-out', 'tsa.pem'],
  );
  await writeFile(
    path.join(folder, 'tsa.cnf'),
    '[tsa]\ndefault_tsa=t\n[t]\nserial=serial\nsigner_cert=tsa.pem\ncerts=ca.pem\nsigner_key=tsa.key\n' +
      'signer_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256\naccuracy=secs:1\nordering=yes\n',
  );
  await writeFile(path.join(folder, 'serial'), '01\n');
  const http = await answering(async (query) => {
    await writeFile(path.join(folder, 'q'), query);
    await openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'q', '-out', 'r');
    return readFile(path.join(folder, 'r'));
  });
  return { ...http, caFile: path.join(folder, 'ca.pem'), [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

async function answering(
  answer: Buffer | ((query: Buffer) => Promise<Buffer>),
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const reply = Buffer.isBuffer(answer) ? Promise.resolve(answer) : answer(Buffer.concat(parts));
      reply.then(
        (body) => response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(body),
        () => response.writeHead(500).end(),
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
