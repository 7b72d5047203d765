import type { ProfileName } from '../vocabulary/names.js';

export const megabyte = 1024 * 1024;

/** The limits and rules a profile stands for. Everything two profiles differ in is a field here. */
export interface Policy {
  /** Where a server may listen: this machine only, or the addresses given. */
  readonly exposure: 'loopback' | 'given';
  /** Whether a client must show a certificate of the private CA. */
  readonly clientCertificates: 'optional' | 'required';
  readonly tlsVersions: readonly ('TLSv1.2' | 'TLSv1.3')[];
  readonly tlsSessionCaching: boolean;
  readonly memoryMegabytes: number;
  readonly evictionPolicy: 'noeviction' | 'allkeys-lru' | 'allkeys-lfu' | 'volatile-lru' | 'volatile-ttl';
  readonly maxClients: number;
  readonly idleTimeoutSeconds: number;
  readonly databases: number;
  /** When the append-only file is forced to disk. */
  readonly fsync: 'always' | 'everysec';
  /** Replicas that must be in step before a write is taken, where there are replicas. */
  readonly minReplicasToWrite: number;
  readonly logLevel: 'notice' | 'verbose';
  readonly aclLogEntries: number;
  readonly slowlogMicroseconds: number;
  readonly latencyMonitorMilliseconds: number;
  /** Lifetime of server and client certificates, renewed at two thirds. */
  readonly certificateDays: number;
  readonly caDays: number;
  /** Age at which a password is due for rotation. */
  readonly passwordDays: number;
  /** Hours between backups. */
  readonly backupHours: number;
}

const production: Policy = {
  exposure: 'given',
  clientCertificates: 'required',
  tlsVersions: ['TLSv1.2', 'TLSv1.3'],
  tlsSessionCaching: true,
  memoryMegabytes: 1024,
  evictionPolicy: 'noeviction',
  maxClients: 10_000,
  idleTimeoutSeconds: 1800,
  databases: 1,
  fsync: 'everysec',
  minReplicasToWrite: 1,
  logLevel: 'notice',
  aclLogEntries: 1024,
  slowlogMicroseconds: 10_000,
  latencyMonitorMilliseconds: 100,
  certificateDays: 90,
  caDays: 1825,
  passwordDays: 90,
  backupHours: 24,
};

export const profiles: Readonly<Record<ProfileName, Policy>> = {
  development: {
    ...production,
    exposure: 'loopback',
    clientCertificates: 'optional',
    memoryMegabytes: 256,
    maxClients: 1000,
    idleTimeoutSeconds: 3000,
    databases: 16,
    minReplicasToWrite: 0,
    certificateDays: 365,
  },
  staging: { ...production, memoryMegabytes: 512, maxClients: 2000 },
  production,
  regulated: {
    ...production,
    tlsVersions: ['TLSv1.3'],
    tlsSessionCaching: false,
    idleTimeoutSeconds: 900,
    fsync: 'always',
    logLevel: 'verbose',
    aclLogEntries: 4096,
    passwordDays: 60,
    backupHours: 6,
  },
};
