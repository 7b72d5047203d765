import { record } from '../../audit/gather/live.js';
import type { SentinelView } from '../snapshot.js';

/** Asks a sentinel about the primaries that it watches; `tell` gives undefined for what is refused. */
export async function readSentinelViews(
  tell: (...args: readonly string[]) => Promise<unknown>,
): Promise<SentinelView[]> {
  const primaries = await tell('SENTINEL', 'MASTERS');
  if (!Array.isArray(primaries)) return [];
  return Promise.all(
    primaries.map(async (entry) => {
      const fields = record(entry);
      const name = fields['name'] ?? '';
      const [sentinels, replicas] = await Promise.all([
        tell('SENTINEL', 'SENTINELS', name),
        tell('SENTINEL', 'REPLICAS', name),
      ]);
      const sentinelFlags = flagsOf(sentinels);
      const reachable = sentinelFlags.filter(isWell).length + 1;
      const quorumMet = reachable >= Number(fields['quorum']) && reachable > (sentinelFlags.length + 1) / 2;
      return {
        fields,
        quorumMet,
        quorumMessage: quorumMet ? 'OK' : 'NOQUORUM',
        sentinelFlags,
        replicaFlags: flagsOf(replicas),
      };
    }),
  );
}

function flagsOf(reply: unknown): string[] {
  return Array.isArray(reply) ? reply.map((entry) => record(entry)['flags'] ?? '') : [];
}

/** Neither this sentinel nor the others think that it is down. */
export function isWell(flags: string): boolean {
  return !/[so]_down/.test(flags);
}
