import { type Indicator, look } from './indicator.js';
import { archived } from './payload-indicators.js';
import { changesRoles, matching, ran } from './server.js';

const destroying = ['flushall', 'flushdb', 'swapdb'];
const erasing = ['config|resetstat', 'slowlog|reset', 'latency|reset', 'commandlog|reset'];

export const damageIndicators: readonly Indicator[] = [
  {
    id: 'data-wiped',
    title: 'Data replaced by that of another server',
    innocent: 'A server that was made a replica of another one on purpose.',
    looks: [
      look(
        'live',
        ({ info }) => info,
        (info) => {
          const followed = !/^0*$/.test(info['master_replid2'] ?? '') && Number(info['second_repl_offset'] ?? -1) > 0;
          const empty = !Object.keys(info).some((field) => /^db\d+$/.test(field));
          return info['role'] === 'master' && followed && empty
            ? ['it has no key, was a replica before, and no flush was counted']
            : [];
        },
      ),
      look(
        'log',
        ({ log }) => log,
        (lines, scene) => {
          // A replica empties itself whenever it copies its primary anew.
          const isPrimary = scene.info.observed && scene.info.value['role'] === 'master';
          return isPrimary && !changesRoles(scene) ? matching(lines, /sync: Flushing old data/i) : [];
        },
      ),
      archived('data-wiped'),
    ],
  },
  {
    id: 'data-loss',
    title: 'Whole databases that were emptied or swapped',
    innocent: 'A command of an administrator, or of a test that ran against the wrong server.',
    looks: [
      look(
        'live',
        ({ info }) => info,
        (info) => ran(info, destroying),
      ),
      archived('data-loss'),
    ],
  },
  {
    id: 'data-copied',
    title: 'Data that was carried away as a whole',
    innocent: 'A backup that copies by replication, or somebody who debugged with MONITOR.',
    looks: [
      look(
        'live',
        ({ connections }) => connections,
        (connections, { expected }) =>
          connections.flatMap(({ address, flags, user, name }) => {
            const host = address.replace(/:\d+$/, '');
            if (flags.includes('O')) return [`MONITOR runs from ${address} as ${user}`];
            const known = !expected.known || expected.peers.includes(host) || expected.users.includes(user);
            return flags.includes('S') && !known ? [`${address} (${name || user}) replicates, and is not a peer`] : [];
          }),
      ),
      look(
        'live',
        ({ info }) => info,
        (info) => ran(info, ['monitor', 'migrate']),
      ),
    ],
  },
  {
    id: 'evidence-erased',
    title: 'Counters and logs that were reset',
    innocent: 'Somebody measured, and reset the counters before.',
    looks: [
      look(
        'live',
        ({ info }) => info,
        (info) => ran(info, erasing),
      ),
    ],
  },
];
