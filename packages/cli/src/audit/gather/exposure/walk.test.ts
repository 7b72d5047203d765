import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { createPki, type Pki, randomFrom } from '@redkeep/testing';
import type { ExposureFacts } from '../../facts/exposure-facts.js';
import { auditWithoutServer } from '../../testing/project-folder.js';
import { walkExposure } from './walk.js';

let root: string;
let pki: Pki;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'redkeep-exposure-'));
  await chmod(root, 0o755);
  pki = await createPki();
});
after(() => rm(root, { recursive: true }));

async function folderOf(name: string, files: Readonly<Record<string, string | Buffer>>, mode = 0o644): Promise<string> {
  const folder = join(root, name);
  await mkdir(folder);
  await chmod(folder, 0o755);
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
    await chmod(join(folder, file), mode);
  }
  return folder;
}

function walk(folder: string): Promise<ExposureFacts> {
  return walkExposure({ folders: [folder], files: [], accounts: [] });
}

async function held(files: Readonly<Record<string, string | Buffer>>): Promise<Record<string, string>> {
  const folder = await mkdtemp(join(root, 'content-'));
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), content);
  }
  const { guarded } = await walk(folder);
  return Object.fromEntries(
    guarded.filter(({ isSecret }) => isSecret).map(({ path, holds }) => [path.slice(folder.length + 1), holds]),
  );
}

describe('secrets are known by what is in them', () => {
  test('keys of every form, whatever they are called', async () => {
    const key = createPrivateKey(pki.server.key);
    const pem = join(root, 'k.pem');
    const cert = join(root, 'c.pem');
    await writeFile(pem, pki.server.key);
    await writeFile(cert, pki.server.cert);
    const pkcs12 = execFileSync('openssl', [
      'pkcs12',
      '-export',
      '-inkey',
      pem,
      '-in',
      cert,
      '-passout',
      'pass:test-only',
    ]);
    await rm(pem);
    await rm(cert);
    assert.deepEqual(
      await held({
        'a.txt': pki.server.key,
        'b.dat': key.export({ type: 'pkcs8', format: 'der' }),
        'c.bin': key.export({ type: 'sec1', format: 'der' }),
        'd.backup': key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'test-only' }),
        bundle: `${pki.server.cert}\n${pki.server.key}`,
        'store.dat': pkcs12,
        'ca.crt': pki.ca,
        'old/root': pki.authority.key,
        'identity.txt': '# created\nAGE-SECRET-KEY-1QQQQQQQQQQQQQQ\n',
      }),
      {
        'a.txt': 'a private key',
        'b.dat': 'a private key',
        'c.bin': 'a private key',
        'd.backup': 'a private key',
        bundle: 'a private key',
        'store.dat': 'keys (PKCS #12)',
        'old/root': 'the private key of the CA',
        'identity.txt': 'a decryption key (age)',
      },
    );
  });

  test('passwords in configuration, users, variables, addresses and files of their own', async () => {
    assert.deepEqual(
      await held({
        'redis.conf': 'port 6379\nrequirepass test-only\n',
        'sentinel.conf': 'sentinel monitor m 10.0.0.1 6379 2\nsentinel auth-pass m test-only\n',
        'users.acl': `user app on #${'ab'.repeat(32)} ~* +@all\n`,
        '.env': 'HOST=a\nREDIS_PASSWORD=test-only\n',
        'app.json': '{ "url": "rediss://app:test-only@cache.internal" }',
        'secret.yaml': 'apiVersion: v1\nkind: Secret\ndata:\n  a: dGVzdA==\n',
        'secrets/app': 'test-only-1\n',
        'token-like': 'Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg\n',
      }),
      {
        'redis.conf': 'a configuration with a password',
        'sentinel.conf': 'a configuration with a password',
        'users.acl': 'users with their passwords or hashes',
        '.env': 'environment variables with a secret',
        'app.json': 'an address with a password',
        'secret.yaml': 'a Kubernetes Secret',
        'secrets/app': 'a password or token',
        'token-like': 'a password or token',
      },
    );
  });

  test('and nothing else is taken for one', async () => {
    assert.deepEqual(
      await held({
        'ca.crt': pki.ca,
        'server.crt': pki.server.cert,
        'redis.conf': 'port 6379\nrequirepass ""\n# requirepass foobared\n',
        '.env': 'REDIS_PASSWORD_FILE=/run/secrets/redis\nREDIS_PASSWORD=$SECRET\nTOKEN=\n',
        'compose.yaml': 'services:\n  redis:\n    image: redis\n',
        'app.json': '{ "url": "rediss://app:$PASSWORD@cache.internal" }',
        VERSION: '1.2.3\n',
        'checksum.sha256': `${'ab'.repeat(32)}\n`,
        'notes.md': 'The password is in secrets/app. user app on the left\n',
        'secrets/README.md': 'One file a user.\n',
        'node_modules/a/key.pem': pki.server.key,
        'test/fixtures/key.pem': pki.server.key,
      }),
      {},
    );
  });
});

describe('the audit of a folder', () => {
  async function findings(folder: string): Promise<string[]> {
    const result = await auditWithoutServer(folder, { folders: [folder] });
    return result.findings.map(({ id }) => id);
  }

  test('finds keys that everybody can read and files that everybody can replace', async () => {
    const folder = await folderOf('audited', { 'pki/root': pki.authority.key, 'pki/ca.crt': pki.ca }, 0o600);
    assert.deepEqual(await findings(folder), []);
    await chmod(join(folder, 'pki', 'root'), 0o644);
    assert.deepEqual(await findings(folder), ['HOST-013']);
    await chmod(join(folder, 'pki'), 0o757);
    assert.deepEqual(await findings(folder), ['HOST-014', 'HOST-013']);
    await chmod(folder, 0o700);
    assert.deepEqual(await findings(folder), []);
  });
});

describe('a walk', () => {
  test('goes on beside a pipe, a socket-like file, a broken link and a circle of links', async () => {
    const folder = await folderOf('odd', { 'z/key': pki.server.key });
    execFileSync('mkfifo', [join(folder, 'a.yaml')]);
    await symlink(join(folder, 'nowhere'), join(folder, 'broken'));
    await symlink(folder, join(folder, 'z', 'again'));
    const { guarded, closed } = await walk(folder);
    assert.deepEqual(
      guarded.map(({ path }) => path),
      [join(folder, 'z', 'key')],
    );
    assert.deepEqual(closed, []);
  });

  test('says of a secret behind a link what is true of the secret', async () => {
    const hidden = await folderOf('hidden', { key: pki.server.key }, 0o644);
    await chmod(hidden, 0o700);
    const folder = await folderOf('linked', {});
    await symlink(join(hidden, 'key'), join(folder, 'key'));
    const { guarded } = await walk(folder);
    assert.deepEqual(
      guarded.map(({ readable, writable }) => [readable, writable]),
      [[false, undefined]],
    );
    await chmod(hidden, 0o777);
    const again = await walk(folder);
    assert.deepEqual(
      again.guarded.map(({ readable, writable }) => [readable, writable?.path]),
      [[true, hidden]],
    );
  });

  test('names the folder that anybody may write, and leaves a sticky one alone', async () => {
    const folder = await folderOf('writable', { 'conf/redis.conf': 'port 0\n' });
    await chmod(join(folder, 'conf'), 0o777);
    assert.equal((await walk(folder)).guarded[0]?.writable?.path, join(folder, 'conf'));
    await chmod(join(folder, 'conf'), 0o1777);
    assert.equal((await walk(folder)).guarded[0]?.writable, undefined);
  });

  test('lists what it cannot look at', async () => {
    const missing = join(root, 'is-not-there');
    assert.deepEqual((await walk(missing)).closed, [{ path: missing, reason: 'ENOENT' }]);
  });
});

/** Tries, as another user, to read and to change each path, and prints what was possible. */
const attempts = `
const fs = require('node:fs'); const { dirname } = require('node:path');
const [root, owner, ...paths] = JSON.parse(fs.readFileSync(0, 'utf8'));
const can = (act) => { try { act(); return true; } catch { return false; } };
const chain = (path) => (path === root ? [] : [...chain(dirname(path)), path]);
if (owner) for (const one of new Set(paths.flatMap(chain))) can(() => fs.chmodSync(one, 0o777));
const read = (path) => can(() => fs.closeSync(fs.openSync(path, 'r')));
const moved = (path) => can(() => { fs.renameSync(path, path + '.moved'); fs.renameSync(path + '.moved', path); });
const change = (path) => can(() => fs.closeSync(fs.openSync(path, fs.constants.O_WRONLY))) || replaced(path);
const replaced = (path) => path !== root && (moved(path) || replaced(dirname(path)));
process.stdout.write(JSON.stringify(paths.map((path) => [read(path), change(path)])));
`;

/** Only root can make files of other users, and become one. Elsewhere the fixed cases above stand alone. */
const isRoot = process.geteuid?.() === 0;
const files = Number(process.env['REDKEEP_FILES'] ?? 300);

if (isRoot)
  test(`others can do what ${files} files of random modes and owners are said to let them do, and no more`, async () => {
    const random = randomFrom(20_261_128);
    const one = <T>(list: readonly T[]): T => list[random(list.length)]!;
    const tree = await folderOf('random', {});
    const folders = [tree];
    const paths: string[] = [];
    for (let made = 0; made < files; made++) {
      const below = one(folders);
      if (random(3) === 0 && below.split('/').length < tree.split('/').length + 6) {
        const folder = join(below, `folder${made}`);
        await mkdir(folder);
        folders.push(folder);
      }
      const path = join(below, `file${made}`);
      await writeFile(path, pki.server.key);
      paths.push(path);
    }
    for (const path of [...paths, ...folders.slice(1)].reverse()) {
      await chown(path, one([0, 0, 999, 1001]), one([0, 999, 1001]));
      const isFolder = folders.includes(path);
      await chmod(
        path,
        isFolder ? one([0o700, 0o750, 0o755, 0o755, 0o711, 0o777, 0o1777, 0o773, 0o754]) : random(0o1000),
      );
    }
    const { guarded } = await walk(tree);
    assert.deepEqual(guarded.map(({ path }) => path).sort(), [...paths].sort());
    const truth = await tried(65_534, [tree, false, ...guarded.map(({ path }) => path)]);
    const said = guarded.map(({ readable, writable }) => [readable, writable !== undefined]);
    const wrong = guarded.flatMap(({ path, mode }, index) =>
      said[index]!.join() === truth[index]!.join()
        ? []
        : [`${path} ${mode.toString(8)}: ${said[index]} is ${truth[index]}`],
    );
    assert.deepEqual(wrong, []);
    // The generator makes each outcome.
    for (const outcome of ['true,true', 'true,false', 'false,true', 'false,false'])
      assert.ok(
        truth.some((found) => found.join() === outcome),
        outcome,
      );
    const owner = await tried(1001, [tree, true, ...guarded.map(({ path }) => path)]);
    const claimed = guarded.map(({ foreign, writable }) => foreign?.uid === 1001 || writable !== undefined);
    assert.deepEqual(
      guarded.flatMap(({ path }, index) => (claimed[index] === owner[index]![1] ? [] : [`${path}: ${claimed[index]}`])),
      [],
    );
    assert.ok(guarded.some(({ foreign }) => foreign !== undefined));
  });

async function tried(uid: number, input: readonly unknown[]): Promise<[boolean, boolean][]> {
  const run = promisify(execFile)(process.execPath, ['-e', attempts], { uid, gid: 65_534, cwd: '/' });
  run.child.stdin?.end(JSON.stringify(input));
  return JSON.parse((await run).stdout) as [boolean, boolean][];
}
