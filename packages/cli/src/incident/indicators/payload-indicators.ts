import { type Indicator, look } from './indicator.js';
import { type PayloadKind, payloadIn, payloadKinds } from './payloads.js';
import type { Scene } from './scene.js';

/** A snapshot that was written where another program reads it begins with the mark of its format. */
const snapshotMark = /REDIS\d{4}|VALKEY\d{3}/;

function values(...kinds: readonly PayloadKind[]) {
  return look(
    'live',
    ({ values }) => values,
    ({ found }) =>
      found
        .filter(({ payload }) => kinds.includes(payload.kind))
        .map(({ key, database, payload }) => `key ${key} (db${database}): ${payload.excerpt}`),
  );
}

/** Commands of the archive that the search gave to this indicator. */
export function archived(id: string) {
  return look(
    'archive',
    ({ archive }) => archive,
    ({ bad }) =>
      bad.filter(({ indicator }) => indicator === id).map(({ text, second }) => ({ text, at: second * 1000 })),
  );
}

function written(scene: Scene, matches: (file: string) => boolean, judge: (text: string) => string | undefined) {
  if (!scene.machine.observed) return [];
  return scene.machine.value.footholds.flatMap(({ file, text, modifiedAt }) => {
    if (!matches(file)) return [];
    const what = snapshotMark.test(text) ? 'a snapshot of a server was written here' : judge(text);
    return what ? [{ text: `${file}: ${what}`, at: modifiedAt }] : [];
  });
}

const isCrontab = (file: string): boolean => /cron/.test(file);
const isKeyFile = (file: string): boolean => /authorized_keys/.test(file);

/** Folders and names that a server's snapshot has no business in. */
const dangerousFolder =
  /^(?:\/root|.*\/\.ssh|\/var\/spool\/cron.*|\/etc(?:\/.*)?|\/var\/www(?:\/.*)?|\/usr\/share\/nginx.*|\/srv\/www.*|.*\/(?:htdocs|public_html|webroot))\/?$/;
const dangerousName = /^(?:authorized_keys2?|root|crontab|.*\.so|.*\.php|.*\.jspx?|.*\.sh|.*\.py|apache2|id_rsa.*)$/;

export const payloadIndicators: readonly Indicator[] = [
  {
    id: 'cron-payload',
    title: 'Lines for a crontab in keys, or written by the server',
    innocent: 'An application that stores crontabs with download commands in Redis.',
    looks: [
      look(
        'live',
        ({ residue }) => residue,
        (keys) => keys.map((key) => `key ${key}, a name that known attacks use`),
      ),
      values('cron', 'download-and-run'),
      look(
        'host',
        ({ machine }) => machine,
        (_, scene) =>
          written(scene, isCrontab, (text) => {
            const payload = payloadIn(`\n${text}`);
            return payload?.kind === 'download-and-run' ? payloadKinds[payload.kind] : undefined;
          }),
      ),
      archived('cron-payload'),
    ],
  },
  {
    id: 'ssh-key-payload',
    title: 'Public keys for SSH in keys, or written by the server',
    innocent: 'None that is likely: applications store keys without line ends around them.',
    looks: [
      values('ssh-key'),
      look(
        'host',
        ({ machine }) => machine,
        (_, scene) => written(scene, isKeyFile, () => undefined),
      ),
      archived('ssh-key-payload'),
    ],
  },
  {
    id: 'file-write',
    title: 'Snapshots aimed at files of other programs',
    innocent: 'A CONFIG SET that failed can be a typing error.',
    looks: [
      values('web-shell', 'program'),
      look(
        'live',
        ({ settings }) => settings,
        ({ dir = '', dbfilename = '' }) => [
          ...(dangerousFolder.test(dir) ? [`dir is ${dir}`] : []),
          ...(dangerousName.test(dbfilename) ? [`dbfilename is ${dbfilename}`] : []),
        ],
      ),
      look(
        'live',
        ({ info }) => info,
        (info) => {
          const failed = Number(/failed_calls=(\d+)/.exec(info['cmdstat_config|set'] ?? '')?.[1] ?? 0);
          return failed > 0
            ? [`CONFIG SET was refused ${failed} times; since Redis 7.0 dir and dbfilename are protected that way`]
            : [];
        },
      ),
      look(
        'files',
        ({ files }) => files,
        ({ beside, settings }) => [
          ...(dangerousFolder.test(settings['dir'] ?? '')
            ? [`the configuration file says dir ${settings['dir']}`]
            : []),
          ...beside
            .filter(({ file }) => dangerousName.test(file.split('/').at(-1) ?? '') && !/\.(?:sh|py)$/.test(file))
            .map(({ file, modifiedAt }) => ({ text: `${file} is beside the data`, at: modifiedAt })),
        ],
      ),
      look(
        'log',
        ({ log }) => log,
        (lines) =>
          lines
            .filter(({ text }) => /DB saved on disk|Background saving/.test(text) && /authorized_keys|cron/.test(text))
            .map(({ text, at }) => ({ text, at })),
      ),
      archived('file-write'),
    ],
  },
];
