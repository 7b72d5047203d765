/** What CLUSTER SLOTS and redirects say, as data. Nothing here is trusted yet. */
import { ProtocolError } from '../errors.js';
import { SLOTS } from './slot.js';

export interface NodeAddress {
  readonly host: string;
  readonly port: number;
}
export interface AnnouncedNode extends NodeAddress {
  readonly id: string;
  /** Other names of the same node, which its certificate may be for. */
  readonly aliases: readonly string[];
}
export interface AnnouncedShard {
  readonly ranges: readonly (readonly [first: number, last: number])[];
  readonly master: AnnouncedNode;
  readonly replicas: readonly AnnouncedNode[];
}

export function addressOf({ host, port }: NodeAddress): string {
  return `${host}:${port}`;
}

/**
 * The reply of CLUSTER SLOTS (Redis 3.0, metadata since 7.0). An empty or null host means the host that answered;
 * `?` that the server does not know the name: then the address in the metadata, or the node is left out.
 * Shards are in the order of their first slot.
 * @throws ProtocolError for what no cluster says
 */
export function parseSlots(reply: unknown, origin: string): AnnouncedShard[] {
  const shards = new Map<string, { ranges: [number, number][]; master: AnnouncedNode; replicas: AnnouncedNode[] }>();
  const ranges = (Array.isArray(reply) ? reply : []) as [number, number, ...unknown[]][];
  if (ranges.length > SLOTS || !ranges.every(isRange)) throw new ProtocolError('CLUSTER SLOTS that no cluster has');
  for (const [first, last, ...members] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const [master, ...replicas] = members.map((member) => parseNode(member, origin));
    if (master === undefined) continue;
    const known = shards.get(addressOf(master));
    if (known === undefined) {
      shards.set(addressOf(master), {
        ranges: [[first, last]],
        master,
        replicas: replicas.filter((replica) => replica !== undefined),
      });
    } else known.ranges.push([first, last]);
  }
  return [...shards.values()];
}

/** Nodes of one shard; Redis knows no bound, and nobody has a hundred replicas of one master. */
const MAX_SHARD_NODES = 128;

function isRange(range: unknown): boolean {
  if (!Array.isArray(range) || range.length > 2 + MAX_SHARD_NODES) return false;
  const [first, last, ...members] = range as unknown[];
  const isSlot = (slot: unknown): slot is number =>
    Number.isInteger(slot) && (slot as number) >= 0 && (slot as number) < SLOTS;
  return isSlot(first) && isSlot(last) && first <= last && members.every(Array.isArray);
}

function parseNode(member: unknown, origin: string): AnnouncedNode | undefined {
  const [endpoint, port, id, metadata] = member as [unknown, number, unknown, unknown];
  const more = metadataNames(metadata);
  const announced = endpoint === null || endpoint === undefined ? '' : String(endpoint);
  const host = announced === '' ? origin : announced === '?' ? more.ip || more.hostname : announced;
  if (host === undefined || host === '' || !Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  const aliases = [more.hostname, more.ip].filter(
    (name): name is string => name !== undefined && name !== '' && name !== '?' && name !== host,
  );
  return { host, port, id: id === undefined || id === null ? '' : String(id), aliases };
}

/** `[name, value, …]` in RESP2, a map in RESP3. */
function metadataNames(metadata: unknown): { ip?: string; hostname?: string } {
  if (metadata === null || typeof metadata !== 'object') return {};
  const pairs = Array.isArray(metadata)
    ? Object.fromEntries(metadata.flatMap((name, i) => (i % 2 === 0 ? [[String(name), metadata[i + 1]]] : [])))
    : metadata instanceof Map
      ? Object.fromEntries(metadata)
      : (metadata as Record<string, unknown>);
  const text = (value: unknown) => (value === undefined || value === null ? undefined : String(value));
  return { ip: text(pairs.ip), hostname: text(pairs.hostname) };
}

export interface Redirect {
  readonly kind: 'MOVED' | 'ASK';
  readonly slot: number;
  /** May be empty (the host that answered) or `?` (unknown). */
  readonly host: string;
  readonly port: number;
}

/** `MOVED 3999 127.0.0.1:6381`, `ASK 3999 ::1:6381`; undefined when it is something else. */
export function parseRedirect(text: string): Redirect | undefined {
  const match = /^(MOVED|ASK) (\d{1,5}) (.*):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const slot = Number(match[2]);
  const port = Number(match[4]);
  if (slot >= 16_384 || port < 1 || port > 65_535) return undefined;
  return { kind: match[1] as 'MOVED' | 'ASK', slot, host: match[3]!.replace(/^\[|\]$/g, ''), port };
}
