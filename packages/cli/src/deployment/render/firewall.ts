import { createHash } from 'node:crypto';
import { isIP } from 'node:net';
import { isLoopback } from 'redkeep';
import type { Deployment } from '../model.js';
import { prefixOf } from '../naming.js';
import type { RenderedFile } from './rendered-file.js';

/** Firewall rules for the ports of a deployment: the given sources and the nodes themselves, nobody else. */
export function renderFirewall(deployment: Deployment): RenderedFile[] {
  const rules = rulesOf(deployment);
  const prefix = prefixOf(deployment);
  return [
    { path: 'firewall/redkeep.nft', mode: 0o644, content: nftables(rules, prefix) },
    { path: 'firewall/iptables.sh', mode: 0o755, content: iptables(rules, prefix) },
    { path: 'firewall/ufw.sh', mode: 0o755, content: ufw(rules, prefix) },
  ];
}

interface Rule {
  readonly ports: readonly number[];
  readonly sources: readonly string[];
}

/** Every value is a number or an address that the answers' schema has checked: there is nothing to escape. */
function rulesOf({ nodes, sources }: Deployment): Rule[] {
  const peers = nodes.map(({ host }) => host).filter((host) => isIP(host) !== 0 && !isLoopback(host));
  const unique = <T>(values: readonly T[]) => [...new Set(values)];
  const bus = nodes.flatMap(({ busPort }) => (busPort === undefined ? [] : [busPort]));
  return [
    { ports: unique(nodes.map(({ port }) => port)), sources: unique([...sources, ...peers]) },
    ...(bus.length > 0 ? [{ ports: unique(bus), sources: unique(peers) }] : []),
  ];
}

const isV6 = (source: string) => source.includes(':');

function nftables(rules: readonly Rule[], prefix: string): string {
  const table = `inet ${prefix.replaceAll('-', '_')}`;
  const lines = rules.flatMap(({ ports, sources }) => {
    const match = `tcp dport { ${ports.join(', ')} }`;
    // One rule a source: in a set, a network and an address inside it would conflict.
    return [
      ...sources.map((source) => `${match} ${isV6(source) ? 'ip6' : 'ip'} saddr ${source} accept`),
      `${match} counter drop`,
    ];
  });
  return `#!/usr/sbin/nft -f
# Written by redkeep init. Check: nft -c -f redkeep.nft   Load: nft -f redkeep.nft
table ${table}
delete table ${table}
table ${table} {
  chain input {
    type filter hook input priority filter - 5; policy accept;
    iif lo accept
${lines.map((line) => `    ${line}`).join('\n')}
  }
}
`;
}

function iptables(rules: readonly Rule[], prefix: string): string {
  const chain = chainName(prefix);
  const lines = [false, true].flatMap((v6) => {
    const program = v6 ? 'ip6tables' : 'iptables';
    return [
      `${program} -N ${chain} 2>/dev/null || ${program} -F ${chain}`,
      `${program} -A ${chain} -i lo -j ACCEPT`,
      ...rules.flatMap(({ ports, sources }) =>
        ports.flatMap((port) => [
          ...sources
            .filter((source) => isV6(source) === v6)
            .map((source) => `${program} -A ${chain} -p tcp --dport ${port} -s ${source} -j ACCEPT`),
          `${program} -A ${chain} -p tcp --dport ${port} -j DROP`,
        ]),
      ),
      `${program} -C INPUT -j ${chain} 2>/dev/null || ${program} -I INPUT 1 -j ${chain}`,
    ];
  });
  return `#!/bin/sh\n# Written by redkeep init. Run as root; run again after a change.\nset -eu\n${lines.join('\n')}\n`;
}

/** A chain's name may have 28 letters; a hash distinguishes what is left out. */
function chainName(prefix: string): string {
  const name = prefix.toUpperCase();
  if (name.length <= 28) return name;
  return `${name.slice(0, 21)}-${createHash('sha256').update(prefix).digest('hex').slice(0, 6)}`;
}

/**
 * ufw takes the first rule that fits, and appends: a source added later would follow the deny. So the deployment's own
 * rules, found by their comment, are removed first, last number first, and written again in their order.
 */
function ufw(rules: readonly Rule[], prefix: string): string {
  const comment = `comment '${prefix}'`;
  const lines = rules.flatMap(({ ports, sources }) =>
    ports.flatMap((port) => [
      ...sources.map((source) => `ufw allow proto tcp from ${source} to any port ${port} ${comment}`),
      `ufw deny proto tcp to any port ${port} ${comment}`,
    ]),
  );
  return `#!/bin/sh
# Written by redkeep init. Run as root; run again after a change.
# Ports that Docker publishes do not pass ufw: publish on 127.0.0.1 only, as redkeep's compose.yaml does.
set -eu
ufw status numbered | sed -n 's/^\\[ *\\([0-9][0-9]*\\)\\].*# ${prefix}$/\\1/p' | sort -rn | while read -r number; do
  ufw --force delete "$number"
done
${lines.join('\n')}
`;
}
