import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { createPki } from '@redkeep/testing';
import type { Fault } from './hardened.js';

const day = 86_400_000;

function user(name: string, change: (line: string) => string): NonNullable<Fault['users']> {
  return (lines) => lines.map((line) => (line.startsWith(`user ${name} `) ? change(line) : line));
}

const grant = (rules: string): NonNullable<Fault['users']> => user('app', (line) => `${line} ${rules}`);

async function withServer(names: readonly string[], notBefore: Date, notAfter: Date) {
  const pki = await createPki();
  const server = await pki.authority.issue({ commonName: 'localhost', names, notBefore, notAfter });
  return { ...pki, server };
}

/** Faults of a running server and of its files: applied one at a time, each must cause exactly its findings. */
export const serverFaults: readonly Fault[] = [
  {
    name: 'the default user is on without a password',
    users: user('default', () => 'user default on nopass resetkeys resetchannels -@all +ping'),
    expect: ['AUTH-001', 'AUTH-002'],
  },
  {
    name: 'the default user is on with a password',
    users: user('default', () => 'user default on >test-only-9c1f22ab74 resetkeys resetchannels -@all +ping'),
    expect: ['AUTH-004'],
  },
  {
    name: 'the ACL file does not mention the default user',
    users: (lines) => lines.filter((line) => !line.startsWith('user default')),
    expect: ['ACL-001', 'ACL-004', 'ACL-005', 'ACL-009', 'ACL-010', 'AUTH-001', 'AUTH-002', 'AUTH-003', 'AUTH-013'],
  },
  {
    name: 'a user was changed at run time only',
    after: (server) => server.command('ACL', 'SETUSER', 'app', '+lolwut', '-get'),
    expect: ['AUTH-013'],
  },
  { name: 'a plaintext port next to TLS', plaintext: true, expect: ['NET-005'] },
  { name: 'protected mode is off', config: { 'protected-mode': 'no' }, expect: ['NET-003'] },
  { name: 'listens on every interface', config: { bind: '*' }, expect: ['NET-002'] },
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
    pki: () => withServer(['localhost', '127.0.0.1'], new Date(Date.now() - 60 * day), new Date(Date.now() + 9 * day)),
    expect: ['TLS-010'],
  },
  { name: 'an application may FLUSHALL', users: grant('+flushall'), expect: ['ACL-001'] },
  { name: 'an application may list clients', users: grant('+client|list'), expect: ['ACL-001'] },
  { name: 'an application may run KEYS', users: grant('+keys'), expect: ['ACL-001'] },
  { name: 'an application may run scripts', users: grant('+eval'), expect: ['ACL-004'] },
  { name: 'an application may store functions', users: grant('+function|load'), expect: ['ACL-004'] },
  { name: 'an application may RESTORE', users: grant('+restore'), expect: ['ACL-005'] },
  { name: 'an application may MIGRATE', users: grant('+migrate'), expect: ['ACL-005'] },
  { name: 'an application may change the configuration', users: grant('+config|set'), expect: ['ACL-009'] },
  { name: 'an application may change users', users: grant('+acl|setuser'), expect: ['ACL-010'] },
  { name: 'no memory limit', config: { maxmemory: '0' }, expect: ['CFG-011'] },
  { name: 'neither AOF nor snapshots', config: { appendonly: 'no' }, expect: ['BKP-001'] },
  { name: 'the AOF is never forced to disk', config: { appendfsync: 'no' }, expect: ['BKP-001'] },
  {
    name: 'everybody reads the configuration file',
    after: (server) => chmod(server.configFile, 0o644),
    expect: ['HOST-003'],
  },
  {
    name: 'everybody reads the ACL file',
    after: (server) => chmod(join(server.dir, 'users.acl'), 0o644),
    expect: ['HOST-004'],
  },
  {
    name: 'everybody reads the data',
    after: (server) => chmod(server.dir, 0o755),
    expect: ['HOST-005'],
  },
  {
    name: 'everybody reads the private key',
    after: async (server) => {
      const [, path] = (await server.command('CONFIG', 'GET', 'tls-key-file')) as string[];
      await chmod(path!, 0o644);
    },
    expect: ['TLS-015'],
  },
];
