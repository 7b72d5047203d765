import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { promisify } from 'node:util';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';

const execute = promisify(execFile);

/** A server process that `up` started, as `run/<node>.json` keeps it. */
export interface ProcessRecord {
  readonly pid: number;
  /** When the system says the process started: a pid that was given to another process does not match. */
  readonly startMark: string;
  readonly program: string;
}

function recordFile(deployment: LoadedDeployment, node: string): string {
  return deployment.locate(`run/${node}.json`);
}

export async function writeRecord(deployment: LoadedDeployment, node: string, record: ProcessRecord): Promise<void> {
  await replaceFile(recordFile(deployment, node), `${JSON.stringify(record)}\n`);
}

export async function removeRecord(deployment: LoadedDeployment, node: string): Promise<void> {
  await rm(recordFile(deployment, node), { force: true });
}

/** The running process of a node, or undefined: never started, ended, or its pid belongs to another process now. */
export async function runningProcess(deployment: LoadedDeployment, node: string): Promise<ProcessRecord | undefined> {
  const text = await readIfPresent(recordFile(deployment, node));
  if (text === undefined) return undefined;
  const record = parseRecord(text);
  if (!record) return undefined;
  return (await startMarkOf(record.pid)) === record.startMark ? record : undefined;
}

function parseRecord(text: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(text) as Partial<ProcessRecord>;
    return Number.isSafeInteger(record.pid) && (record.pid ?? 0) > 1 ? (record as ProcessRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** A process that left something behind, if it is gone. */
export interface ProcessOwner {
  readonly pid: number;
  /** When the process started: a pid that was given to another process does not match. */
  readonly startMark: string | undefined;
  readonly host: string;
}

export async function thisProcess(): Promise<ProcessOwner> {
  return { pid: process.pid, startMark: await startMarkOf(process.pid), host: hostname() };
}

/** False for a process of another machine, which cannot be judged from here. */
export async function isGone({ pid, startMark, host }: ProcessOwner): Promise<boolean> {
  return host === hostname() && (await startMarkOf(pid)) !== startMark;
}

/** Undefined for anything but the JSON of an owner. */
export function parseOwner<Owner extends ProcessOwner>(text: string | undefined): Owner | undefined {
  try {
    const owner = JSON.parse(text ?? '') as Partial<Owner> | null;
    return Number.isSafeInteger(owner?.pid) && typeof owner?.host === 'string' ? (owner as Owner) : undefined;
  } catch {
    return undefined;
  }
}

/** When a process started, in the system's own notation; undefined when it is gone or only waits to be buried. */
export async function startMarkOf(pid: number): Promise<string | undefined> {
  if (process.platform !== 'linux') return startMarkByPs(pid);
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold blanks: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

async function startMarkByPs(pid: number): Promise<string | undefined> {
  try {
    const { stdout } = await execute('ps', ['-o', 'lstart=', '-p', String(pid)]);
    return stdout.trim() || undefined;
  } catch {
    return undefined;
  }
}
