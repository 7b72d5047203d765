import { writeFile } from 'node:fs/promises';
import type { Server } from '@redkeep/testing';
import { CliSandbox } from '../../testing/run-cli.js';
import { passwords } from './hardened.js';

/** A folder with what a user of the command line has: a password file, and the server's CA and client certificate. */
export async function auditSandbox(server: Server, user: keyof typeof passwords = 'auditor') {
  const sandbox = await CliSandbox.create();
  await writeFile(sandbox.path('password'), passwords[user], { mode: 0o600 });
  const { tlsFiles } = server;
  const access = [
    ...['--user', user, '--password-file', 'password', '--roles', 'admin=admin', 'app=application', 'auditor=auditor'],
    ...(tlsFiles ? ['--ca', tlsFiles.ca, '--cert', tlsFiles.clientCert, '--key', tlsFiles.clientKey] : []),
  ];
  return {
    sandbox,
    access,
    audit: (...args: string[]) => sandbox.run(['audit', server.url, ...access, ...args]),
    [Symbol.asyncDispose]: () => sandbox.remove(),
  };
}
