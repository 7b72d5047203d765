import type { History } from '../../backup/restore/histories.js';
import type { SeenCommand } from '../../backup/restore/segment-cutter.js';
import { keyPattern } from '../../doctor/key-pattern.js';
import { attackKeys } from '../indicators/attack-keys.js';
import { escapeIn, type PayloadKind, payloadIn, printable } from '../indicators/payloads.js';
import type { BadCommand } from '../indicators/scene.js';

const destroying = new Set(['FLUSHALL', 'FLUSHDB', 'SWAPDB']);
const indicatorOf: Readonly<Record<PayloadKind, string>> = {
  cron: 'cron-payload',
  'download-and-run': 'cron-payload',
  'ssh-key': 'ssh-key-payload',
  'web-shell': 'file-write',
  program: 'file-write',
};

/** What an intruder, or a mistake, would have run; undefined for anything else. */
export function badOf({
  name,
  args,
}: Pick<SeenCommand, 'name' | 'args'>): { indicator: string; text: string } | undefined {
  if (destroying.has(name)) return { indicator: 'data-loss', text: name };
  const words = args.map((arg) => arg.toString('latin1'));
  if (name === 'FUNCTION') {
    const what = escapeIn(words.join(' '));
    return what ? { indicator: 'lua-escape', text: `FUNCTION ${words[0] ?? ''}: ${what}` } : undefined;
  }
  const key = words[0] ?? '';
  for (const word of words) {
    const payload = payloadIn(word);
    if (payload) return { indicator: indicatorOf[payload.kind], text: `${name} ${shownKey(key)}: ${payload.excerpt}` };
  }
  if (name === 'SET' && attackKeys.includes(key))
    return { indicator: 'cron-payload', text: `SET ${key}, a name that known attacks use` };
  return undefined;
}

/** Names of keys can be personal data; those of attacks are shown. */
export function shownKey(key: string): string {
  return attackKeys.includes(key) ? key : printable(keyPattern(key));
}

const emptySnapshotBytes = 400;
const fullSnapshotBytes = 2000;
const manyCommands = 100;

/**
 * Histories behind which nearly nothing was left: the stream was broken, as it is by another primary or a restart,
 * and the base that follows is as good as empty.
 */
export function wipedBetween(histories: readonly History[]): BadCommand[] {
  return histories.flatMap((history) => {
    const next = histories
      .filter(
        ({ writer, shard, history: number }) =>
          writer === history.writer && shard === history.shard && number > history.history,
      )
      .sort((a, b) => a.history - b.history)[0];
    const [base] = next?.bases ?? [];
    if (!next || !base || base.body.plainBytes > emptySnapshotBytes) return [];
    const commands = history.stretches.reduce(
      (sum, { body }) => sum + (body.kind === 'segment' ? body.commands : 0),
      0,
    );
    const hadData = history.bases.at(-1)!.body.plainBytes > fullSnapshotBytes || commands > manyCommands;
    if (!hadData) return [];
    return [
      {
        indicator: 'data-wiped',
        shard: history.shard,
        offset: history.end.offset,
        second: next.start,
        text: 'the stream was broken, and the snapshot behind it is as good as empty',
      },
    ];
  });
}
