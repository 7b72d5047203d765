import { readFile, readlink, stat } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { isLoopback } from 'redkeep';
import { type Fact, NotObserved, observe, unobserved } from '../facts/fact.js';
import type { ProcessFacts } from '../facts/facts.js';
import { secretVariable } from '../facts/secret-variable.js';
import { listeningOf } from './listening.js';

/** Whether the address is one of this machine's own. */
export function isThisMachine(host: string): boolean {
  if (isLoopback(host)) return true;
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === host));
}

function statusField(status: string, name: string): string {
  return status.match(new RegExp(`^${name}:\\s*(.*)$`, 'm'))?.[1] ?? '';
}

async function secretVariables(pid: number): Promise<string[]> {
  const variables = (await readFile(`/proc/${pid}/environ`, 'latin1')).split('\0');
  return variables.map((variable) => variable.split('=')[0]!).filter((name) => secretVariable.test(name));
}

/** What Linux shows about the server's process. Only for a server on this machine. */
export async function readProcess(pid: number): Promise<ProcessFacts> {
  if (process.platform !== 'linux')
    throw new NotObserved(`process details are read on Linux only, this is ${process.platform}`);
  const read = (name: string): Promise<string> => readFile(`/proc/${pid}/${name}`, 'latin1');
  const [status, cmdline, limits, cgroup, own, theirs, executable, folder] = await Promise.all([
    read('status'),
    read('cmdline'),
    read('limits'),
    read('cgroup'),
    readlink('/proc/self/ns/mnt').catch(() => 'own'),
    readlink(`/proc/${pid}/ns/mnt`).catch(() => 'unreadable'),
    readlink(`/proc/${pid}/exe`).catch(() => ''),
    stat(`/proc/${pid}`),
  ]);
  if (executable !== '' && !/redis|valkey|dragonfly/i.test(executable)) {
    throw new NotObserved(
      `process ${pid} of this machine is not the server: it probably runs in a container or elsewhere`,
    );
  }
  const limit = (name: string): string => limits.match(new RegExp(`^${name}\\s+(\\S+)`, 'm'))?.[1] ?? 'unknown';
  const unit = cgroup.match(/([\w@.-]+\.service)/)?.[1];
  const inContainer = /docker|containerd|kubepods|libpod|lxc/.test(cgroup);
  return {
    pid,
    uid: folder.uid,
    executable: executable.replace(/ \(deleted\)$/, ''),
    argv: cmdline.split('\0').filter((argument) => argument !== ''),
    secretVariables: await observe(`/proc/${pid}/environ`, () => secretVariables(pid)),
    containerized: inContainer || (theirs !== 'unreadable' && own !== theirs && unit === undefined),
    coreLimit: limit('Max core file size'),
    openFiles: Number(limit('Max open files')),
    noNewPrivileges: statusField(status, 'NoNewPrivs') === '1',
    capabilities: statusField(status, 'CapEff'),
    seccomp: statusField(status, 'Seccomp') !== '0',
    umask: statusField(status, 'Umask'),
    listening: await observe(`/proc/${pid}/fd`, () => listeningOf(pid)),
    ...(unit !== undefined && { unit }),
  };
}

/** The process behind a node, found by the id the server itself reports. */
export async function observeProcess(
  host: string,
  info: Fact<Readonly<Record<string, string>>>,
): Promise<Fact<ProcessFacts>> {
  if (!isThisMachine(host))
    return unobserved(`${host} is another machine: run the audit there to see its process and files`);
  if (!info.observed) return unobserved(`the process is found through INFO: ${info.reason}`);
  const pid = Number(info.value['process_id']);
  if (!Number.isInteger(pid)) return unobserved('the server does not report its process id');
  return observe(`/proc/${pid}`, () => readProcess(pid));
}
