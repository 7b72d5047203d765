import type { RedisClient } from 'redkeep';
import { parseDirectives, settingsOf } from '../audit/gather/config-file.js';
import { fieldsOf } from '../engine/live-topology.js';

export interface SettingChange {
  readonly name: string;
  readonly from: string;
  readonly to: string;
  /** Whether a running server takes it. */
  readonly how: 'set' | 'restart';
}

/** What belongs to the server, or is not a setting that CONFIG GET shows. */
const notCompared = new Set(['replicaof', 'slaveof', 'user', 'include', 'loadmodule', 'rename-command', 'sentinel']);

/** Settings that Redis and Valkey take only when they start (`IMMUTABLE_CONFIG`, and the protected ones here). */
const onlyAtStart = new Set([
  'acl-pubsub-default',
  'aclfile',
  'always-show-logo',
  'appenddirname',
  'appendfilename',
  'cluster-config-file',
  'cluster-enabled',
  'cluster-port',
  'daemonize',
  'databases',
  'dbfilename',
  'dir',
  'enable-debug-command',
  'enable-module-command',
  'enable-protected-configs',
  'io-threads',
  'logfile',
  'pidfile',
  'tcp-backlog',
  'unixsocket',
]);

/** Values that no plan and no journal shows. */
const secret = new Set(['masterauth', 'requirepass', 'tls-key-file-pass', 'tls-client-key-file-pass']);

/** Settings of a configuration file that a running server does not have. Needs CONFIG GET. */
export async function settingChanges(admin: RedisClient, configText: string): Promise<SettingChange[]> {
  const live = fieldsOf(await admin.sendCommand(['CONFIG', 'GET', '*']));
  const wanted = new Map(Object.entries(settingsOf(parseDirectives(configText, ''))));
  const limits = outputLimits(configText);
  if (limits !== undefined) wanted.set('client-output-buffer-limit', limits);
  return [...wanted].flatMap(([name, value]) => {
    const running = live.get(name);
    if (running === undefined || notCompared.has(name) || same(name, running, value)) return [];
    return [{ name, from: running, to: value, how: onlyAtStart.has(name) ? ('restart' as const) : ('set' as const) }];
  });
}

function same(name: string, running: string, wanted: string): boolean {
  if (name === 'client-output-buffer-limit') return words(running) === words(wanted);
  if (name === 'dir') return running.replace(/\/$/, '') === wanted.replace(/\/$/, '');
  return running === wanted;
}

/** Classes in one order, under one name: servers say `slave` for `replica`. */
function words(limits: string): string {
  const all = limits.replaceAll('slave', 'replica').split(/\s+/);
  const classes: string[] = [];
  for (let index = 0; index + 3 < all.length; index += 4) classes.push(all.slice(index, index + 4).join(' '));
  return classes.sort().join(' ');
}

function outputLimits(configText: string): string | undefined {
  const lines = parseDirectives(configText, '').filter(({ name }) => name === 'client-output-buffer-limit');
  return lines.length === 0 ? undefined : lines.map(({ args }) => args.join(' ')).join(' ');
}

/** How a change reads in a plan. */
export function describeChange({ name, from, to, how }: SettingChange): string {
  const text = secret.has(name) ? `${name} (not shown)` : `${name} ${from || '""'} -> ${to || '""'}`;
  return how === 'restart' ? `${text}, at a restart` : text;
}

/** Gives a running server the settings it takes without a restart, all in one command: all or none. */
export async function applySettings(admin: RedisClient, changes: readonly SettingChange[]): Promise<void> {
  const settable = changes.filter(({ how }) => how === 'set');
  if (settable.length === 0) return;
  await admin.sendCommand(['CONFIG', 'SET', ...settable.flatMap(({ name, to }) => [name, to])]);
}
