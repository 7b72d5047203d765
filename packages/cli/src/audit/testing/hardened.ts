import { createHash } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { type Engine, type Pki, type PkiCredential, type Server, startServer } from '@redkeep/testing';
import { versionAtLeast } from '../../vocabulary/engines.js';
import { auditorRules } from '../auditor-acl.js';
import type { CheckId } from '../checks/check.js';
import type { Expectations } from '../facts/facts.js';
import type { Endpoint } from '../gather/endpoint.js';
import { gather } from '../gather/gather.js';
import type { GatherRequest } from '../gather/request.js';
import { openSession } from '../gather/session.js';
import { judge } from '../verdict/judge.js';
import type { AuditResult } from '../verdict/result.js';

/** Known to the tests only: these servers live for seconds, on loopback. */
export const passwords = {
  admin: 'test-only-admin-3f9a1c',
  auditor: 'test-only-auditor-77b2',
  app: 'test-only-app-51e0d8',
};

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export const hardenedUsers: readonly string[] = [
  'user default off resetpass resetkeys resetchannels -@all',
  `user admin on #${sha256(passwords.admin)} ~* &* +@all`,
  `user auditor on #${sha256(passwords.auditor)} ${auditorRules().join(' ')}`,
  `user app on #${sha256(passwords.app)} ~app:* resetchannels &app:* -@all +@read +@write -@dangerous -@scripting -function -randomkey -scan -dump -object +client|setname`,
];

export const hardenedConfig: Readonly<Record<string, string>> = {
  maxmemory: '100mb',
  'maxmemory-policy': 'noeviction',
  appendonly: 'yes',
  appendfsync: 'everysec',
  'tls-protocols': '"TLSv1.2 TLSv1.3"',
  'tls-ciphers':
    'ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  'tls-replication': 'yes',
  'acl-pubsub-default': 'resetchannels',
  'acllog-max-len': '1024',
  timeout: '1800',
  maxclients: '1000',
  'client-output-buffer-limit': 'normal 64mb 32mb 60',
  'latency-monitor-threshold': '100',
  'aof-timestamp-enabled': 'yes',
  'maxmemory-clients': '10%',
  masteruser: 'replication',
  loglevel: 'notice',
};

/** Settings that only newer engines have, and that a hardened deployment of them sets. */
function settingsSince({ kind, version }: Engine): Record<string, string> {
  return {
    ...(kind === 'redis' && versionAtLeast(version, '8.0') && { 'hide-user-data-from-log': 'yes' }),
    ...(kind === 'valkey' && versionAtLeast(version, '9.1') && { 'tls-auto-reload-interval': '3600' }),
  };
}

/** One fault in an otherwise hardened deployment, and the findings it must cause: exactly these. */
export interface Fault {
  readonly name: string;
  readonly expect: readonly CheckId[];
  /** Engines that can have the fault at all; every one unless said. */
  readonly appliesTo?: (engine: Engine) => boolean;
  readonly config?: Readonly<Record<string, string>>;
  /** Directives to leave out of the hardened configuration. */
  readonly without?: readonly string[];
  readonly users?: (lines: readonly string[]) => readonly string[];
  readonly certificate?: PkiCredential;
  readonly pki?: () => Promise<Pki>;
  readonly plaintext?: boolean;
  readonly noTls?: boolean;
  /** More of the fault that takes a moment to make: a file, a free port. */
  readonly prepare?: () => Promise<Partial<Fault>>;
  /** Runs against the started server, before the audit. */
  readonly after?: (server: Server) => Promise<unknown>;
  readonly request?: (request: GatherRequest, server: Server) => GatherRequest;
}

export const expectations: Expectations = {
  profile: 'production',
  // The last ones exist in some faults only.
  roles: {
    admin: 'admin',
    app: 'application',
    auditor: 'auditor',
    ops: 'admin',
    root: 'admin',
    monitoring: 'monitoring',
    exporter: 'monitoring',
    backup: 'backup',
    replication: 'replication',
    sessions: 'session-store',
    sentinel: 'sentinel',
  },
  peers: [],
  modules: [],
  libraries: [],
  names: [],
};

/** As it is after an install and "it has to be reachable": nothing asks for anything. */
export function openServer(engine: Engine): Promise<Server> {
  return startServer({ engine, config: { bind: '*', 'protected-mode': 'no' } });
}

/** As many are after the first scare: a password, and nothing else. */
export function passwordOnlyServer(engine: Engine): Promise<Server> {
  return startServer({ engine, password: passwords.admin, config: { bind: '*' } });
}

/** Starts the hardened server with a fault in it. */
export async function startHardened(engine: Engine, given: Partial<Fault> = {}): Promise<Server> {
  const fault = { ...given, ...(await given.prepare?.()) };
  const config = { ...hardenedConfig, ...settingsSince(engine), ...fault.config };
  const tlsSettings = Object.keys(config).filter((name) => name.startsWith('tls-'));
  for (const name of [...(fault.without ?? []), ...(fault.noTls === true ? tlsSettings : [])]) delete config[name];
  const server = await startServer({
    engine,
    tls: fault.noTls !== true && {
      ...(fault.pki && { pki: await fault.pki() }),
      ...(fault.certificate !== undefined && { certificate: fault.certificate }),
      clientAuth: fault.config?.['tls-auth-clients'] === undefined ? 'optional' : 'off',
    },
    ...(fault.plaintext === true && { plaintext: true }),
    config,
    users: fault.users ? fault.users(hardenedUsers) : hardenedUsers,
    admin: { username: 'admin', password: passwords.admin },
  });
  await chmod(join(server.dir, 'users.acl'), 0o600);
  await fault.after?.(server);
  return server;
}

export function requestFor(server: Server, fault: Partial<Fault> = {}): GatherRequest {
  const { tls } = server.target;
  const endpoint: Endpoint = {
    host: '127.0.0.1',
    port: server.tlsPort || server.port,
    tls: server.tlsPort > 0,
    ...(server.pki && { ca: server.pki.ca }),
    ...(tls?.cert !== undefined && tls.key !== undefined && { cert: tls.cert, key: tls.key }),
    username: 'auditor',
    password: passwords.auditor,
    timeoutMs: 3000,
  };
  const request: GatherRequest = { endpoints: [endpoint], expectations, openSession, now: new Date(), sampleKeys: 0 };
  return fault.request?.(request, server) ?? request;
}

/** Gathers from the server and judges, as `redkeep audit` does. */
export async function auditServer(server: Server, fault: Partial<Fault> = {}): Promise<AuditResult> {
  const { facts, unreachable } = await gather(requestFor(server, fault));
  return judge(facts, { target: server.url, version: 'test', durationMs: 0, unreachable });
}

/** Findings about the machine the tests happen to run on say nothing about the server. */
export function serverFindings(result: AuditResult): CheckId[] {
  const machine = /^(HOST-00[6-9]|HOST-001|VER-00[1-5]|NET-015)$/;
  return result.findings
    .map(({ id }) => id)
    .filter((id) => !machine.test(id))
    .sort();
}
