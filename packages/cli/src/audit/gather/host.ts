import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { promisify } from 'node:util';
import { dataEncrypted, isEncrypted, textIfAny } from '../../host/disk-encryption.js';
import { type Fact, NotObserved, observe, unobserved } from '../facts/fact.js';
import type { HostFacts } from '../facts/facts.js';

const execute = promisify(execFile);
const shippers =
  /^(filebeat|fluent-bit|fluentd|vector|promtail|alloy|otelcol|rsyslogd|syslog-ng|auditbeat|splunkd|datadog-agent)/;

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(program, args, {
    timeout: 3000,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  });
  return stdout;
}

async function swapDevices(): Promise<HostFacts['swap']> {
  const lines = (await textIfAny('/proc/swaps')).split('\n').slice(1).filter(Boolean);
  return Promise.all(
    lines.map(async (line) => {
      const device = line.split(/\s+/)[0]!;
      const name = device.split('/').at(-1)!;
      // zram lives in memory: nothing of it reaches a disk.
      return { device, encrypted: name.startsWith('zram') || (await isEncrypted(`/sys/class/block/${name}`)) };
    }),
  );
}

async function logShippers(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const names = await Promise.all(pids.map((pid) => textIfAny(`/proc/${pid}/comm`)));
  const found = [...new Set(names.filter((name) => shippers.test(name)))];
  // rsyslog is on nearly every host; it ships only where a rule says so.
  if (!found.includes('rsyslogd')) return found;
  const rules = await execute('grep', [
    '-rhE',
    '^[^#]*@@?[a-zA-Z0-9\\[]|omfwd',
    '/etc/rsyslog.conf',
    '/etc/rsyslog.d',
  ]).then(
    ({ stdout }) => stdout,
    () => '',
  );
  return rules === '' ? found.filter((name) => name !== 'rsyslogd') : found;
}

async function firewall(): Promise<{ defaultDrop: boolean; tool: string }> {
  const nft = await output('nft', 'list', 'ruleset').catch(() => undefined);
  if (nft) return { tool: 'nftables', defaultDrop: /hook input[^}]*policy drop/.test(nft) };
  const iptables = await output('iptables', '-S', 'INPUT').catch(() => undefined);
  if (iptables) return { tool: 'iptables', defaultDrop: /^-P INPUT (DROP|REJECT)/m.test(iptables) };
  throw new NotObserved('the packet filter can be read by root only, or there is none on this host');
}

const servers = ['redis', 'redis-server', 'redis-tools', 'valkey', 'valkey-server', 'valkey-tools'];
const libraries = ['openssl', 'libssl3', 'libssl3t64', 'libjemalloc2'];

/**
 * What apt knows about the packages an audit asks for. By far the slowest look at the host (about a second), so it is
 * started first and read last.
 */
export function startPackagePolicy(): Promise<string> {
  if (packagePolicy === undefined) {
    packagePolicy = output('apt-cache', 'policy', ...libraries, ...servers);
    packagePolicy.catch(() => undefined);
  }
  return packagePolicy;
}

/** Packages do not change while an audit, or the one after its fixes, runs. */
let packagePolicy: Promise<string> | undefined;

function policyOf(policy: string, name: string): string {
  return policy.split(/^(?=\S+:\n)/m).find((section) => section.startsWith(`${name}:\n`)) ?? '';
}

function updates(policy: string, packageName: string): string[] {
  return [...libraries, packageName].flatMap((name) => {
    const [, installed, candidate] = policyOf(policy, name).match(/Installed: (\S+)\n {2}Candidate: (\S+)/) ?? [];
    return installed && installed !== '(none)' && candidate !== installed
      ? [`${name} ${installed} -> ${candidate}`]
      : [];
  });
}

async function packageSigned(policy: string, name: string): Promise<boolean> {
  const origin = policyOf(policy, name)
    .split('***')[1]
    ?.match(/^\s+\d+ (\S+)/m)?.[1];
  if (origin === undefined || origin.startsWith('/var/lib/dpkg')) {
    throw new NotObserved(`${name} was installed from a file, or its repository is gone`);
  }
  const unsigned = await execute('grep', [
    '-rhE',
    'trusted=yes|Trusted: *yes|allow-insecure=yes',
    '/etc/apt/sources.list',
    '/etc/apt/sources.list.d',
  ]).then(
    ({ stdout }) => stdout,
    () => '',
  );
  return unsigned === '';
}

/** The machine the audit runs on; only where a server runs on it too. */
export async function readHost(
  directory: string | undefined,
  packageName: string | undefined,
  policy: Promise<string>,
): Promise<HostFacts> {
  if (process.platform !== 'linux')
    throw new NotObserved(`the host is read on Linux only, this is ${process.platform}`);
  const ofPackage = async <T>(read: (name: string) => Promise<T>): Promise<Fact<T>> =>
    packageName === undefined
      ? unobserved('the server does not belong to a package of this system')
      : observe('apt-cache policy', () => read(packageName));
  const [swap, hugePages, overcommitMemory, somaxconn, timeSynchronized, filter, encrypted, shipping, pending, signed] =
    await Promise.all([
      swapDevices(),
      textIfAny('/sys/kernel/mm/transparent_hugepage/enabled'),
      textIfAny('/proc/sys/vm/overcommit_memory'),
      textIfAny('/proc/sys/net/core/somaxconn'),
      observe('timedatectl', async () => /^NTPSynchronized=yes/m.test(await output('timedatectl', 'show'))),
      observe('packet filter', firewall),
      observe('block devices', () => dataEncrypted(directory)),
      observe('/proc', logShippers),
      ofPackage(async (name) => updates(await policy, name)),
      ofPackage(async (name) => packageSigned(await policy, name)),
    ]);
  return {
    swap,
    transparentHugePages: hugePages.match(/\[(\w+)\]/)?.[1] ?? 'unknown',
    overcommitMemory,
    somaxconn: Number(somaxconn),
    memoryBytes: totalmem(),
    timeSynchronized,
    firewall: filter,
    dataEncrypted: encrypted,
    logShippers: shipping,
    updates: pending,
    packageSigned: signed,
  };
}
