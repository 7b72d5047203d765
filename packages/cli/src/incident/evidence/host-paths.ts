import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Ask } from '../../audit/gather/live.js';
import { record } from '../../audit/gather/live.js';
import { isThisMachine } from '../../audit/gather/process.js';

/** Where a server's files are, on this machine. */
export interface HostPaths {
  readonly pid: number;
  readonly uid: number;
  /** Home folder of the server's user; undefined where it has none. */
  readonly home: string | undefined;
  readonly user: string;
  readonly configFile: string | undefined;
  readonly aclFile: string | undefined;
  readonly logFile: string | undefined;
  readonly dataFolder: string;
  readonly dumpFile: string;
  readonly appendFolder: string;
  readonly modules: readonly string[];
}

/** Why the host of a server cannot be read from here. */
export class NotThisHost extends Error {}

/** Finds the server's process and files. Rejects with `NotThisHost` where they are not on this machine. */
export async function hostPathsOf(ask: Ask, host: string): Promise<HostPaths> {
  if (!isThisMachine(host)) throw new NotThisHost(`${host} is another machine: run it there as well`);
  const info = String(await ask('INFO', 'server'));
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  const pid = Number(field('process_id'));
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const comm = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
  if (!/redis|valkey/i.test(comm))
    throw new NotThisHost(`its process ${pid} is not on this machine: it may run in a container`);
  const settings: Record<string, string> = {};
  for (const name of ['dir', 'dbfilename', 'appenddirname', 'aclfile', 'logfile'])
    Object.assign(settings, record(await ask('CONFIG', 'GET', name).catch(() => [])));
  const loaded = await ask('MODULE', 'LIST').catch(() => []);
  const modules = (Array.isArray(loaded) ? loaded : []).map((entry) => record(entry)['path'] ?? '').filter(Boolean);
  const uid = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1] ?? -1);
  const account = await accountOf(uid);
  const dir = settings['dir'] || '.';
  const within = (name: string | undefined): string | undefined => (name ? path.resolve(dir, name) : undefined);
  return {
    pid,
    uid,
    ...account,
    configFile: field('config_file') || undefined,
    aclFile: within(settings['aclfile']),
    logFile: within(settings['logfile']),
    dataFolder: dir,
    dumpFile: path.resolve(dir, settings['dbfilename'] || 'dump.rdb'),
    appendFolder: path.resolve(dir, settings['appenddirname'] || 'appendonlydir'),
    modules,
  };
}

async function accountOf(uid: number): Promise<{ readonly user: string; readonly home: string | undefined }> {
  const accounts = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const fields = accounts
    .split('\n')
    .map((line) => line.split(':'))
    .find((each) => Number(each[2]) === uid && each.length > 6);
  return { user: fields?.[0] ?? String(uid), home: fields?.[5] };
}

/** Files and folders in which a foothold outside of the server would be. */
export function persistencePlaces(home: string | undefined, user: string): readonly string[] {
  const homes = [...new Set(['/root', ...(home ? [home] : [])])];
  return [
    ...homes.flatMap((folder) => [`${folder}/.ssh/authorized_keys`, `${folder}/.ssh/authorized_keys2`]),
    ...['root', user].map((name) => `/var/spool/cron/crontabs/${name}`),
    ...['root', user].map((name) => `/var/spool/cron/${name}`),
    '/etc/crontab',
    '/etc/cron.d',
    '/etc/cron.hourly',
    '/etc/cron.daily',
    '/etc/ld.so.preload',
    '/etc/rc.local',
  ];
}
