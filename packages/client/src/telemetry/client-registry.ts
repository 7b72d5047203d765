/**
 * Which clients are open, and their names in metrics and channels: `host:port/database-1`. A name is free again when its
 * client is closed, so there are never more names than there were clients at one time.
 */
import { type Place, serverInfo } from '../diagnostics.js';

export interface OpenClient {
  readonly connection: Place & { readonly isReady: boolean };
  /** It is leased from its pool. */
  readonly isLent: boolean;
  readonly cache: { size(): number } | undefined;
  tlsInfo(): { readonly validTo: Date } | undefined;
}

/** A pool, cluster or Sentinel client. */
type Parent = object;

/** Numbers by what comes before them. */
const numbers = new Map<string, { next: number; readonly free: number[] }>();
const names = new WeakMap<object, { readonly prefix: string; readonly number: number }>();
const parents = new WeakMap<Place, Parent>();
const open = new Map<string, OpenClient>();

/** Keeps names short enough for a label. */
const MAX_PREFIX = 112;

function prefixOf({ endpoint, database }: Place): string {
  return `${serverInfo(endpoint).server.slice(0, MAX_PREFIX)}/${database}`;
}

function take(holder: object, prefix: string): void {
  if (names.has(holder)) return;
  let counter = numbers.get(prefix);
  if (counter === undefined) {
    counter = { next: 1, free: [] };
    numbers.set(prefix, counter);
  }
  names.set(holder, { prefix, number: counter.free.pop() ?? counter.next++ });
}

function giveBack(holder: object): void {
  const name = names.get(holder);
  if (name === undefined) return;
  names.delete(holder);
  const counter = numbers.get(name.prefix)!;
  counter.free.push(name.number);
  if (counter.free.length === counter.next - 1) numbers.delete(name.prefix);
}

const textOf = ({ prefix, number }: { prefix: string; number: number }) => `${prefix}-${number}`;

/** The name of an open client's connection; one that is not open shares the number 0. */
export function nameOf(place: Place): string {
  return textOf(names.get(place) ?? { prefix: prefixOf(place), number: 0 });
}

/** Begins with the first attempt to connect. */
export function enter(client: OpenClient): void {
  take(client.connection, prefixOf(client.connection));
  open.set(nameOf(client.connection), client);
}
export function leave(client: OpenClient): void {
  if (open.get(nameOf(client.connection)) !== client) return;
  open.delete(nameOf(client.connection));
  giveBack(client.connection);
}

/** With the servers that it was made for. */
export function enterParent(parent: Parent, ...servers: readonly string[]): void {
  take(parent, servers.join(',').slice(0, MAX_PREFIX));
}
export const leaveParent: (parent: Parent) => void = giveBack;

/** The client belongs to a pool, cluster or Sentinel client. */
export function setParent(place: Place, parent: Parent): void {
  parents.set(place, parent);
}
export function parentNameOf(place: Place): string | undefined {
  const parent = parents.get(place);
  const name = parent === undefined ? undefined : names.get(parent);
  return name === undefined ? undefined : textOf(name);
}

export function clientNamed(name: string): OpenClient | undefined {
  return open.get(name);
}
export function openClients(): Iterable<[name: string, client: OpenClient]> {
  return open;
}
