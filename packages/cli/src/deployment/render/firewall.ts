import { isIP } from 'node:net';
import { isLoopback } from 'redkeep';
import type { Deployment } from '../model.js';
import type { RenderedFile } from './rendered-file.js';

/** Firewall rules for the ports of a deployment: the given sources and the nodes themselves, nobody else. */
export function renderFirewall(deployment: Deployment): RenderedFile[] {
  const rules = rulesOf(deployment);
  return [
    { path: 'firewall/redkeep.nft', mode: 0o644, content: nftables(rules) },
    { path: 'firewall/iptables.sh', mode: 0o755, content: iptables(rules) },
    { path: 'firewall/ufw.sh', mode: 0o755, content: ufw(rules) },
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

function nftables(rules: readonly Rule[]): string {
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
table inet redkeep
delete table inet redkeep
table inet redkeep {
  chain input {
    type filter hook input priority filter - 5; policy accept;
    iif lo accept
${lines.map((line) => `    ${line}`).join('\n')}
  }
}
`;
}

function iptables(rules: readonly Rule[]): string {
  const chain = 'REDKEEP';
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

function ufw(rules: readonly Rule[]): string {
  const lines = rules.flatMap(({ ports, sources }) =>
    ports.flatMap((port) => [
      ...sources.map((source) => `ufw allow proto tcp from ${source} to any port ${port} comment 'redkeep'`),
      `ufw deny proto tcp to any port ${port} comment 'redkeep'`,
    ]),
  );
  const note =
    "# Ports that Docker publishes do not pass ufw: publish on 127.0.0.1 only, as redkeep's compose.yaml does.";
  return `#!/bin/sh\n# Written by redkeep init. Run as root.\n${note}\nset -eu\n${lines.join('\n')}\n`;
}
