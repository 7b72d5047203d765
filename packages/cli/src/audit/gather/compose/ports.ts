import { isTreeMap, type Tree, treeText } from '../yaml-tree.js';

/** One port of a container that the host forwards. */
export interface PublishedPort {
  /** The host's address; `0.0.0.0` and `::` are every address. */
  readonly hostAddress: string;
  /** `any` where the engine picks a free one. */
  readonly hostPort: string;
  readonly port: number;
  readonly protocol: string;
}

const everyAddress = '0.0.0.0';

function range(text: string): number[] | undefined {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  const [from, to] = [Number(first), Number(last)];
  return to < from || to - from > 10_000
    ? undefined
    : Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Host ports for each container port: one for one, or a range of which one is picked. */
function paired(hostAddress: string, published: string, target: string, protocol: string): PublishedPort[] {
  const targets = range(target) ?? [];
  const hosts = range(published);
  return targets.map((port, index) => ({
    hostAddress: hostAddress || everyAddress,
    hostPort: published === '' ? 'any' : hosts?.length === targets.length ? String(hosts[index]) : published,
    port,
    protocol,
  }));
}

/** Address, published and container port of a short form; colons within brackets or `${…}` belong to their part. */
function shortParts(text: string): [string, string, string] {
  const parts = text.match(/(?:\[[^\]]*\]|\$\{[^}]*\}|[^:])+|(?<=:)(?=:)|^(?=:)/g) ?? [];
  const target = parts.at(-1) ?? '';
  const published = parts.length > 1 ? (parts.at(-2) ?? '') : '';
  return [
    parts
      .slice(0, -2)
      .join(':')
      .replace(/^\[(.*)\]$/, '$1'),
    published,
    target,
  ];
}

/** The ports of one entry of `ports`, in its short or long form. */
export function parsePorts(entry: Tree): PublishedPort[] {
  if (isTreeMap(entry)) {
    const text = (key: string): string => treeText(entry[key]) ?? '';
    return paired(text('host_ip'), text('published'), text('target'), text('protocol') || 'tcp');
  }
  const [ports = '', protocol = 'tcp'] = (treeText(entry) ?? '').trim().split('/');
  const [address, published, target] = shortParts(ports);
  return paired(address, published, target, protocol);
}

export function portText({ hostAddress, hostPort, port, protocol }: PublishedPort): string {
  return `${hostAddress}:${hostPort}:${port}/${protocol}`;
}
