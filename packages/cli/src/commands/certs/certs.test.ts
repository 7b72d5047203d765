import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from '@redkeep/testing';
import { createAuthority, issueCertificate } from '../../pki/authority.js';
import { createChain } from '../../testing/certificate-chain.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

const days = (count: number) => ({ now: () => new Date(Date.now() + count * 86_400_000) });

describe('redkeep certs', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    await sandbox.run(['init', '--yes', '--profile', 'production', '--port', String(await freePort())]);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
  });
  afterEach(() => sandbox.remove());

  const certs = (...args: string[]) => sandbox.run(['certs', ...args]);
  const read = (file: string) => readFile(sandbox.path('redkeep', file), 'utf8');
  const fingerprint = async () => new X509Certificate(await read('pki/node-1.crt')).fingerprint256;

  test('renew does nothing before two thirds of the lifetime, and everything after', async () => {
    const before = await fingerprint();
    assert.match((await certs('renew')).err, /No certificate is due/);
    assert.equal(await fingerprint(), before);
    await sandbox.run(['down']);
    const renewed = await sandbox.run(['certs', 'renew'], { clock: days(61) });
    assert.match(renewed.err, /client-app: issued/);
    assert.notEqual(await fingerprint(), before);
  });

  test('puts the old certificate back when the server cannot be reached with the new one', async () => {
    const before = await fingerprint();
    const result = await sandbox.run(['certs', 'issue', 'node-1'], { clock: days(61) });
    assert.equal(result.code, 2);
    assert.match(result.err, /failed the handshake with the new certificate: certificate is not yet valid/);
    assert.equal(await fingerprint(), before);
    assert.equal((await certs('check')).code, 0);
    assert.notEqual((await sandbox.run(['certs', 'renew', '--all'], { clock: days(61) })).code, 0);
    assert.equal(await fingerprint(), before);
    assert.equal((await certs('check')).code, 0);
  });

  test('renew ends what an earlier renewal began when that was killed before the servers took it', async () => {
    const { deployment } = await openDeployment(sandbox);
    const spec = deployment.certificates.find(({ name }) => name === 'node-1')!;
    const authority = { cert: await read(deployment.caFile), key: await read(deployment.caKeyFile) };
    const made = await issueCertificate(authority, spec, { now: new Date() });
    await writeFile(sandbox.path('redkeep', spec.keyFile), made.key);
    await writeFile(sandbox.path('redkeep', spec.certFile), made.cert);
    assert.equal((await certs('check')).code, 1);
    assert.match((await certs('renew')).err, /node-1: issued, served/);
    assert.equal((await certs('check')).code, 0);
    assert.match((await certs('renew')).err, /No certificate is due/);
  });

  test('issue has the running server take the new certificate without a connection lost', async () => {
    const { connect } = await openDeployment(sandbox);
    const client = await connect('app');
    const before = await fingerprint();
    const issued = await certs('issue', 'node-1');
    assert.equal(issued.code, 0, issued.err);
    assert.match(issued.err, /node-1: issued, served/);
    assert.notEqual(await fingerprint(), before);
    assert.equal((await certs('check')).code, 0);
    assert.equal(await client.set('app:1', 'still here'), 'OK');
    client.destroy();
  });

  test('check warns 30 days before the end, and reports a file that is not what is served', async () => {
    assert.equal((await certs('check')).code, 0);
    const late = await sandbox.run(['certs', 'check'], { clock: days(65) });
    assert.equal(late.code, 1);
    assert.match(late.out, /warning node-1: expires in 24 days/);
    const last = await sandbox.run(['certs', 'check'], { clock: days(85) });
    assert.match(last.out, /critical node-1: expires in 4 days/);

    await writeFile(sandbox.path('redkeep/pki/node-1.crt'), await read('pki/clients/app.crt'));
    const swapped = await certs('check');
    assert.equal(swapped.code, 1);
    assert.match(swapped.out, /serves another certificate than the one on disk/);
  });

  test('import takes a fitting certificate of another CA, and refuses one that does not fit', async () => {
    const now = new Date();
    const ca = await createAuthority({ commonName: 'other CA', days: 30, now });
    const { deployment } = await openDeployment(sandbox);
    const spec = deployment.certificates.find(({ name }) => name === 'node-1')!;
    const pair = await issueCertificate(ca, { ...spec, days: 20 }, { now });
    const strange = await issueCertificate(ca, { ...spec, days: 20 }, { now });
    const files = { 'ca.pem': ca.cert, 'cert.pem': pair.cert, 'key.pem': pair.key, 'other.pem': strange.key };
    for (const [name, text] of Object.entries(files)) await writeFile(sandbox.path(name), text);
    const before = await fingerprint();

    const refused = await certs('import', 'node-1', '--cert', 'cert.pem', '--key', 'other.pem', '--ca', 'ca.pem');
    assert.equal(refused.code, 2);
    assert.match(refused.err, /key does not belong to the certificate.*Nothing was replaced/);
    assert.equal(await fingerprint(), before);

    const taken = await certs('import', 'node-1', '--cert', 'cert.pem', '--key', 'key.pem', '--ca', 'ca.pem');
    assert.equal(taken.code, 0, taken.err);
    assert.match(taken.err, /imported, served/);
    assert.equal(await fingerprint(), new X509Certificate(pair.cert).fingerprint256);
    assert.equal((await sandbox.run(['status'])).code, 0);
  });

  test('import follows the chain to a root, and a later init or renewal leaves what was imported alone', async () => {
    const now = new Date();
    const { root, intermediate } = await createChain(now);
    const { deployment } = await openDeployment(sandbox);
    const spec = deployment.certificates.find(({ name }) => name === 'node-1')!;
    const loopbackOnly = { ...spec, dnsNames: [], ipAddresses: ['127.0.0.1'], days: 20 };
    const pair = await issueCertificate(intermediate, loopbackOnly, { now });
    const stranger = await createAuthority({ commonName: 'stranger', days: 30, now });
    const files = {
      'fullchain.pem': pair.cert + intermediate.cert,
      'key.pem': pair.key,
      'root.pem': root.cert,
      'intermediate.pem': intermediate.cert,
      'stranger.pem': stranger.cert,
    };
    for (const [name, text] of Object.entries(files)) await writeFile(sandbox.path(name), text);
    const take = (ca: string) => certs('import', 'node-1', '--cert', 'fullchain.pem', '--key', 'key.pem', '--ca', ca);
    for (const ca of ['stranger.pem', 'intermediate.pem']) {
      const refused = await take(ca);
      assert.equal(refused.code, 2, ca);
      assert.match(refused.err, /does not lead to a root among the CAs given/);
    }
    const before = await read('pki/client-ca.crt');
    const taken = await take('root.pem');
    assert.equal(taken.code, 0, taken.err);
    assert.match(taken.err, /imported, served/);
    assert.match(await read('pki/ca.crt'), /BEGIN CERTIFICATE.+BEGIN CERTIFICATE/s);
    assert.equal(await read('pki/client-ca.crt'), before, 'servers go on accepting the private CA only');

    const imported = await fingerprint();
    assert.equal((await sandbox.run(['init', '--yes', '--force'])).code, 0);
    const renewed = await sandbox.run(['certs', 'renew', '--all']);
    assert.match(renewed.err, /node-1 comes from another CA/);
    assert.equal(await fingerprint(), imported);
    assert.equal((await certs('check')).code, 1, 'it expires in less than 30 days');
    assert.equal((await sandbox.run(['status'])).code, 0);
  });

  test('takes what certbot renewed through the hook', async () => {
    const now = new Date();
    const { root, intermediate } = await createChain(now);
    const { deployment } = await openDeployment(sandbox);
    const spec = deployment.certificates.find(({ name }) => name === 'node-1')!;
    const pair = await issueCertificate(intermediate, { ...spec, days: 20 }, { now });
    const lineage = sandbox.path('live');
    await mkdir(lineage);
    await writeFile(path.join(lineage, 'fullchain.pem'), pair.cert + intermediate.cert);
    await writeFile(path.join(lineage, 'privkey.pem'), pair.key);
    await writeFile(sandbox.path('root.pem'), root.cert);
    const program = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));
    await mkdir(sandbox.path('bin'));
    await symlink(program, sandbox.path('bin/redkeep'));
    const { stderr } = await promisify(execFile)('sh', [sandbox.path('redkeep/renewal/import-hook.sh')], {
      env: {
        PATH: `${sandbox.path('bin')}:${path.dirname(process.execPath)}:${process.env['PATH']}`,
        RENEWED_LINEAGE: lineage,
        REDKEEP_ROOT_CA: sandbox.path('root.pem'),
      },
    });
    assert.match(stderr, /node-1: imported, served/);
    assert.equal(await fingerprint(), new X509Certificate(pair.cert).fingerprint256);
  });

  test('works on without the CA key, which belongs elsewhere, until something has to be issued', async () => {
    const key = await read('authority/ca.key');
    await rm(sandbox.path('redkeep/authority'), { recursive: true });
    const ca = await read('pki/ca.crt');
    const same = await sandbox.run(['init', '--yes']);
    assert.match(same.err, /nothing to change/);
    for (const args of [
      ['certs', 'issue', 'node-1'],
      ['init', '--yes', '--force', '--tls-name', 'cache.example.org'],
    ]) {
      const result = await sandbox.run(args);
      assert.equal(result.code, 2, args.join(' '));
      assert.match(result.err, /CA's key is not at .*REDKEEP_CERTIFICATE_UNUSABLE/s);
    }
    assert.equal(await read('pki/ca.crt'), ca);
    await mkdir(sandbox.path('redkeep/authority'));
    await writeFile(sandbox.path('redkeep/authority/ca.key'), key);
    assert.equal((await certs('issue', 'node-1')).code, 0);
  });

  test('trust adds a CA beside the old one, so that both generations of clients get in', async () => {
    const ca = await createAuthority({ commonName: 'next CA', days: 30, now: new Date(), keyType: 'rsa-3072' });
    await writeFile(sandbox.path('next.pem'), ca.cert);
    assert.match((await certs('trust', 'next.pem')).err, /node-1: served/);
    assert.match((await certs('trust', 'next.pem')).err, /trusted already/);
    assert.equal((await read('pki/ca.crt')).match(/BEGIN CERTIFICATE/g)?.length, 2);
    const { connect, deployment } = await openDeployment(sandbox);
    const spec = deployment.certificates.find(({ name }) => name === 'client-app')!;
    const next = await issueCertificate(ca, spec, { now: new Date() });
    (await connect('app')).destroy();
    await writeFile(sandbox.path('redkeep', spec.certFile), next.cert);
    await writeFile(sandbox.path('redkeep', spec.keyFile), next.key);
    (await connect('app')).destroy();
  });

  test('a leaf never outlives its CA', async () => {
    const ca = await createAuthority({ commonName: 'short', days: 10, now: new Date() });
    const { deployment } = await openDeployment(sandbox);
    const pair = await issueCertificate(ca, deployment.certificates[0]!, { now: new Date() });
    assert.equal(new X509Certificate(pair.cert).validTo, new X509Certificate(ca.cert).validTo);
  });
});
