import { getDiffieHellman } from 'node:crypto';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, createPki, type IssueOptions, type Pki } from '@redkeep/testing';
import { versionAtLeast } from '../../../vocabulary/engines.js';
import { expectations, type Fault } from '../hardened.js';

const day = 86_400_000;
const loopback = ['localhost', '127.0.0.1'];

async function withServer(options: Omit<IssueOptions, 'commonName'>): Promise<Pki> {
  const pki = await createPki();
  return { ...pki, server: await pki.authority.issue({ commonName: 'localhost', names: loopback, ...options }) };
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

/** A PEM file with the 1024 bit group of RFC 2409: too small since Logjam. */
async function smallGroup(): Promise<string> {
  const prime = getDiffieHellman('modp2').getPrime();
  const parameters = der(0x30, der(0x02, Buffer.from([0]), prime), der(0x02, Buffer.from([2])));
  const file = join(await mkdtemp(join(tmpdir(), 'redkeep-test-')), 'dh.pem');
  await writeFile(
    file,
    `-----BEGIN DH PARAMETERS-----\n${parameters.toString('base64')}\n-----END DH PARAMETERS-----\n`,
  );
  return file;
}

const regulated: NonNullable<Fault['request']> = (request) => ({
  ...request,
  expectations: { ...expectations, profile: 'regulated' },
});

/** What the TLS port offers and serves. */
export const transportFaults: readonly Fault[] = [
  {
    name: 'TLS 1.1 is accepted',
    config: { 'tls-protocols': '"TLSv1.1 TLSv1.2 TLSv1.3"', 'tls-ciphers': 'DEFAULT@SECLEVEL=0' },
    expect: ['TLS-002', 'TLS-003'],
  },
  { name: 'the server picks its own suites', without: ['tls-ciphers'], expect: ['TLS-003'] },
  {
    name: 'the certificate comes from a CA nobody was given',
    certificate: 'otherServer',
    expect: ['TLS-008'],
  },
  { name: 'the certificate has another name', certificate: 'wrongName', expect: ['TLS-009'] },
  { name: 'the certificate has expired', certificate: 'expired', expect: ['TLS-010'] },
  {
    name: 'the certificate has nine days left',
    pki: () => withServer({ notBefore: new Date(Date.now() - 60 * day), notAfter: new Date(Date.now() + 9 * day) }),
    expect: ['TLS-010'],
  },
  { name: 'clients need no certificate', config: { 'tls-auth-clients': 'no' }, expect: ['TLS-017'] },
  {
    name: 'the certificate lives for three years',
    pki: () => withServer({ notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 1000 * day) }),
    expect: ['TLS-012'],
  },
  {
    name: 'the certificate is not valid yet',
    pki: () => withServer({ notBefore: new Date(Date.now() + 10 * day), notAfter: new Date(Date.now() + 90 * day) }),
    expect: ['TLS-008', 'TLS-010'],
  },
  {
    name: 'the certificate has no name',
    pki: () =>
      withServer({ names: [], notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + 90 * day) }),
    expect: ['TLS-009'],
  },
  {
    name: 'clients use a name the certificate lacks',
    request: (request) => ({ ...request, expectations: { ...request.expectations, names: ['redis.example'] } }),
    expect: ['TLS-009'],
  },
  {
    name: 'no TLS at all',
    noTls: true,
    expect: ['NET-005', 'TLS-001'],
  },
  {
    name: 'Diffie-Hellman with 1024 bits',
    pki: () => withServer({ keys: { rsaBits: 2048 } }),
    prepare: async () => ({
      config: {
        'tls-dh-params-file': await smallGroup(),
        'tls-ciphers': 'ECDHE-RSA-AES256-GCM-SHA384:DHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0',
      },
    }),
    expect: ['TLS-003', 'TLS-004'],
  },
  {
    name: 'the authority ends in two months',
    pki: async () =>
      createPki({ authority: await createAuthority('Ending CA', { notAfter: new Date(Date.now() + 60 * day) }) }),
    expect: ['TLS-011'],
  },
  {
    name: 'another certificate lies on disk than is served',
    after: async (server) => {
      const [, path] = (await server.command('CONFIG', 'GET', 'tls-cert-file')) as string[];
      const { cert } = await server.pki!.authority.issue({ commonName: 'localhost', names: loopback });
      await writeFile(path!, cert);
    },
    expect: ['TLS-013'],
  },
  {
    name: 'a certificate for clients only',
    pki: () => withServer({ usage: 'client' }),
    expect: ['TLS-008', 'TLS-014'],
  },
  {
    name: "the CA's key lies beside the server's",
    after: (server) => writeFile(join(server.dir, 'ca.key'), server.pki!.authority.key, { mode: 0o600 }),
    expect: ['TLS-016'],
  },
  { name: 'client certificates are optional in the regulated profile', request: regulated, expect: ['TLS-017'] },
  {
    name: 'certificates of 200 days in the regulated profile',
    pki: () => withServer({ notBefore: new Date(Date.now() - 100 * day), notAfter: new Date(Date.now() + 100 * day) }),
    request: regulated,
    expect: ['TLS-017', 'TLS-020'],
  },
  {
    name: 'CBC suites are accepted',
    config: { 'tls-ciphers': 'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA384' },
    expect: ['TLS-003'],
  },
  {
    name: 'renewed certificates are not loaded',
    appliesTo: ({ kind, version }) => kind === 'valkey' && versionAtLeast(version, '9.1'),
    config: { 'tls-auto-reload-interval': '0' },
    expect: ['TLS-022'],
  },
  {
    name: 'replication in clear',
    config: { 'tls-replication': 'no' },
    after: (server) => server.command('REPLICAOF', '127.0.0.1', '1'),
    expect: ['BKP-009', 'TLS-018'],
  },
];
