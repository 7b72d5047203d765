import { isLoopback } from 'redkeep';
import { maybe } from '../facts/fact.js';
import type { Address, NodeFacts } from '../facts/facts.js';
import type { Endpoint } from './endpoint.js';

/** `host:port`, with brackets around an IPv6 address; `unix:PATH` of a Unix socket. */
export function addressText({ host, port, path }: Address & { readonly path?: string }): string {
  if (path !== undefined) return `unix:${path}`;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Nodes of `CLUSTER NODES`: `id ip:port@bus,hostname flags …`. A name is preferred to an address, since certificates
 * carry names; nodes that have failed or are still shaking hands are left out.
 */
export function parseClusterNodes(text: string): Address[] {
  return text.split('\n').flatMap((line) => {
    const [, address, flags = ''] = line.trim().split(' ');
    const [, ip, port, name] = address?.match(/^(.*):(\d+)(?:@\d+)?(?:,([^,]*))?/) ?? [];
    if (!ip || !port || port === '0' || /noaddr|handshake|fail(?!\?)/.test(flags)) return [];
    return [{ host: name || ip.replace(/^\[|\]$/g, ''), port: Number(port) }];
  });
}

/** The nodes that a node names: its cluster, its primary and replicas, or what it monitors and the other sentinels. */
export function peersOf(node: NodeFacts): readonly Address[] {
  const replication = maybe(node.replication);
  const primary = replication?.primaryHost;
  return [
    ...(maybe(node.clusterPeers) ?? []),
    ...(primary === undefined || !replication?.primaryPort ? [] : [{ host: primary, port: replication.primaryPort }]),
    ...(replication?.replicas ?? []).flatMap((address) => {
      const [, host, port] = address.match(/^(.*):(\d+)$/) ?? [];
      return host && port ? [{ host, port: Number(port) }] : [];
    }),
    ...(maybe(node.sentinel)?.masters ?? []).flatMap((one) => one.members),
  ];
}

/**
 * Whether the audit's credentials may go where a server pointed: to the host that was named, between loopback
 * addresses, and over TLS to hosts with a certificate of the operator's own CA. Anything else could be a thief's address.
 */
export function mayFollow(seed: Endpoint, { host }: Address): boolean {
  return host === seed.host || (isLoopback(seed.host) && isLoopback(host)) || (seed.tls && seed.ca !== undefined);
}
