import { type Indicator, look } from './indicator.js';
import { archived } from './payload-indicators.js';
import { escapeIn, suspiciousLines } from './payloads.js';
import type { LogLine, Scene } from './scene.js';

export function calls(info: Readonly<Record<string, string>>, command: string): number {
  return Number(/calls=(\d+)/.exec(info[`cmdstat_${command}`] ?? '')?.[1] ?? 0);
}

function rejected(info: Readonly<Record<string, string>>, command: string): number {
  const [, refused = '0'] = /rejected_calls=(\d+)/.exec(info[`cmdstat_${command}`] ?? '') ?? [];
  const [, failed = '0'] = /failed_calls=(\d+)/.exec(info[`cmdstat_${command}`] ?? '') ?? [];
  return Number(refused) + Number(failed);
}

export function ran(info: Readonly<Record<string, string>>, commands: readonly string[]): string[] {
  return commands.flatMap((command) => {
    const count = calls(info, command);
    const name = command.replace('|', ' ').toUpperCase();
    return count > 0
      ? [`${name} ran ${count === 1 ? 'once' : `${count} times`} since the start or CONFIG RESETSTAT`]
      : [];
  });
}

export function matching(lines: readonly LogLine[], pattern: RegExp): { text: string; at: number | undefined }[] {
  return lines.filter(({ text }) => pattern.test(text)).map(({ text, at }) => ({ text: text.slice(0, 300), at }));
}

/** A name or address that this server may follow. */
function isPeer({ expected }: Scene, host: string): boolean {
  return expected.peers.includes(host);
}

const noReplication = /^0{40}$/;
/** Ids are random hexadecimal; tools that only pretend to be a primary use one letter. */
const fakeReplication = /^(.)\1{39}$/;

/** Sentinels, and clusters, change roles themselves. */
export function changesRoles({ info, connections }: Scene): boolean {
  const cluster = info.observed && info.value['cluster_enabled'] === '1';
  const watched = connections.observed && connections.value.some(({ name }) => /^sentinel-[0-9a-f]{8}-/.test(name));
  return cluster || watched;
}

const installed = /^\/(?:usr|opt|nix)\/.*\/(?:lib\w*|modules)\//;

export const serverIndicators: readonly Indicator[] = [
  {
    id: 'rogue-module',
    title: 'Modules that nobody expects, or attempts to load one',
    innocent: 'A module that was installed on purpose: name it with --known-module.',
    looks: [
      look(
        'live',
        ({ modules }) => modules,
        (modules, { expected }) =>
          modules
            .filter(({ name, path }) => {
              // Modules that come with the engine have no file, or one in a folder that only root writes to.
              const foreign = /\/|\.so$/.test(path) && !installed.test(path) && !expected.modules.includes(name);
              return foreign || /^(?:system|exp|red2)$/i.test(name);
            })
            .map(({ name, path }) => `module ${name} from ${path || 'an unknown file'}`),
      ),
      look(
        'live',
        ({ commands }) => commands,
        (commands) =>
          commands.filter((name) => /^system\.(?:exec|rev)/i.test(name)).map((name) => `the command ${name} exists`),
      ),
      look(
        'live',
        ({ info }) => info,
        (info) =>
          ['module|load', 'module|loadex'].flatMap((command) => {
            const name = command.replace('|', ' ').toUpperCase();
            const refused = rejected(info, command);
            return [...ran(info, [command]), ...(refused > 0 ? [`${name} was refused ${refused} times`] : [])];
          }),
      ),
      look(
        'log',
        ({ log }) => log,
        (lines) =>
          matching(
            lines,
            /Module .* (?:failed to load|initialization failed)|Module '.*' loaded from (?!.*\/(?:lib|modules)\/)/,
          ),
      ),
      look(
        'files',
        ({ files }) => files,
        ({ beside }) =>
          beside
            .filter(({ isProgram }) => isProgram)
            .map(({ file, modifiedAt }) => ({ text: `${file} is a program beside the data`, at: modifiedAt })),
      ),
    ],
  },
  {
    id: 'rogue-primary',
    title: 'A foreign server as primary',
    innocent: 'A primary that is not in the list of peers: name it with --peer.',
    looks: [
      look(
        'live',
        ({ info }) => info,
        (info, scene) => {
          const ids = ['master_replid', 'master_replid2'].filter(
            (name) => fakeReplication.test(info[name] ?? '') && !noReplication.test(info[name] ?? ''),
          );
          const primary = info['master_host'];
          const foreign = primary !== undefined && scene.expected.known && !isPeer(scene, primary);
          return [
            ...ids.map((name) => `${name} is ${info[name]}, which no server makes`),
            ...(foreign ? [`it replicates from ${primary}:${info['master_port']}, which is not a peer`] : []),
          ];
        },
      ),
      look(
        'log',
        ({ log }) => log,
        (lines, scene) => [
          ...matching(lines, /Full resync from (?:master|primary): (.)\1{39}/i),
          ...lines.flatMap(({ text, at }) => {
            const [, host = ''] = /(?:Connecting to (?:MASTER|PRIMARY)|REPLICAOF) ([^\s:]+):\d+/i.exec(text) ?? [];
            return host !== '' && scene.expected.known && !isPeer(scene, host) ? [{ text, at }] : [];
          }),
        ],
      ),
      archived('rogue-primary'),
    ],
  },
  {
    id: 'role-change',
    title: 'REPLICAOF on a server that does not change roles',
    innocent: 'A failover by hand, or a migration to another server.',
    looks: [
      look(
        'live',
        ({ info }) => info,
        (info, scene) => (changesRoles(scene) || info['role'] === 'slave' ? [] : ran(info, ['slaveof', 'replicaof'])),
      ),
      look(
        'log',
        ({ log }) => log,
        (lines, scene) =>
          changesRoles(scene)
            ? []
            : matching(lines, /(?:REPLICAOF|SLAVEOF) \S+ enabled|MASTER MODE enabled|PRIMARY MODE enabled/i),
      ),
    ],
  },
  {
    id: 'weakened-settings',
    title: 'Protections that were switched off while it ran',
    innocent: 'A change by hand that was not written to the configuration file.',
    looks: [
      look(
        'live',
        ({ settings }) => settings,
        (settings) => [
          ...(settings['replica-read-only'] === 'no' ? ['replica-read-only is no: replicas can be written to'] : []),
          ...(settings['aof-rewrite-incremental-fsync'] === 'no' && settings['rdb-save-incremental-fsync'] === 'no'
            ? [
                'aof-rewrite-incremental-fsync and rdb-save-incremental-fsync are both no, as the malware Migo sets them',
              ]
            : []),
        ],
      ),
      look(
        'files',
        ({ files, settings }) => (settings.observed ? files : settings),
        ({ settings: file }, scene) => {
          const now = scene.settings.observed ? scene.settings.value : {};
          const weaker = [
            'protected-mode',
            'enable-debug-command',
            'enable-module-command',
            'enable-protected-configs',
          ];
          return weaker.flatMap((name) => {
            const before = file[name] ?? (name === 'protected-mode' ? 'yes' : 'no');
            const after = now[name];
            const changed = after !== undefined && after !== before;
            const isWeaker = name === 'protected-mode' ? after === 'no' : after !== 'no';
            return changed && isWeaker ? [`${name} is ${after}; the configuration file says ${before}`] : [];
          });
        },
      ),
    ],
  },
  {
    id: 'altered-commands',
    title: 'Commands that this build does not have, or that are gone',
    innocent: 'A module that was installed on purpose.',
    looks: [
      look(
        'live',
        ({ commands, modules }) => (commands.observed ? modules : commands),
        (modules, scene) => {
          const names = scene.commands.observed ? scene.commands.value : [];
          const foreign = names.filter((name) => name.includes('.') && /^(?:system|exp|red2|shell|cmd)\./i.test(name));
          return modules.length === 0 ? foreign.map((name) => `${name} exists although no module is loaded`) : [];
        },
      ),
      look(
        'files',
        ({ commands, files }) => (commands.observed ? files : commands),
        ({ renamed }, scene) => {
          const names = new Set(scene.commands.observed ? scene.commands.value : []);
          // Every version has them.
          return ['config', 'debug', 'module', 'shutdown', 'save', 'keys', 'eval']
            .filter((name) => !names.has(name) && !renamed.includes(name))
            .map((name) => `${name.toUpperCase()} is missing, and no rename-command of the file says so`);
        },
      ),
    ],
  },
  {
    id: 'lua-escape',
    title: 'Scripts or functions that leave the sandbox',
    innocent: 'None: no application needs these.',
    looks: [
      look(
        'live',
        ({ libraries }) => libraries,
        (libraries) =>
          libraries.flatMap(({ name, code }) => {
            const what = escapeIn(code);
            return what ? [`library ${name} ${what}: ${suspiciousLines(code)[0] ?? ''}`] : [];
          }),
      ),
      look(
        'live',
        ({ slowLog }) => slowLog,
        (commands) =>
          commands.flatMap(({ words, at, address }) => {
            const what = /^(?:eval|eval_ro|function|script)$/i.test(words[0] ?? '')
              ? escapeIn(words.join(' '))
              : undefined;
            return what ? [{ text: `${words[0]?.toUpperCase()} from ${address} ${what}`, at }] : [];
          }),
      ),
      look(
        'log',
        ({ log }) => log,
        (lines) => matching(lines, /loadlib|luaopen_io|io\.popen/),
      ),
      archived('lua-escape'),
    ],
  },
  {
    id: 'lua-memory',
    title: 'Attempts on memory faults of the script engine',
    innocent: 'A script of the application that fails often.',
    looks: [
      look(
        'live',
        ({ info }) => info,
        (info) =>
          ['eval', 'evalsha', 'fcall'].flatMap((command) => {
            const count = calls(info, command);
            const failed = Number(/failed_calls=(\d+)/.exec(info[`cmdstat_${command}`] ?? '')?.[1] ?? 0);
            return failed >= 50 && failed > count / 2
              ? [`${command.toUpperCase()} failed ${failed} of ${count} times`]
              : [];
          }),
      ),
      look(
        'log',
        ({ log }) => log,
        (lines) => matching(lines, /lua[VGHC]_\w+|crashed by signal|Stack trace.*lua/),
      ),
    ],
  },
  {
    id: 'cross-protocol',
    title: 'Requests of another protocol, as forged web requests send them',
    innocent: 'A scanner, or a health check that speaks HTTP.',
    looks: [
      look(
        'log',
        ({ log }) => log,
        (lines) => matching(lines, /Possible SECURITY ATTACK detected/),
      ),
    ],
  },
];
