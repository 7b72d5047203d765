import { isLoopback } from 'redkeep';
import type { Deployment, DeploymentNode } from '../model.js';
import { hostDataFolder, hostFolder, prefixOf, unitName } from '../naming.js';
import { oneLine } from '../quote.js';
import { serverCommand } from './health-check.js';
import type { RenderedFile } from './rendered-file.js';

/** One unit a node. The sandbox leaves the server its own data, its own configuration and the network. */
export function renderSystemd(deployment: Deployment): RenderedFile[] {
  return deployment.nodes.map((node) => ({
    path: `systemd/${unitName(deployment, node)}`,
    mode: 0o644,
    content: unit(deployment, node),
  }));
}

function unit(deployment: Deployment, node: DeploymentNode): string {
  const [program, ...args] = serverCommand(deployment, node);
  const memory = node.role === 'sentinel' ? 128 : Math.ceil(deployment.policy.memoryMegabytes * 1.5) + 64;
  return `# Written by redkeep init. RUNBOOK.md says how to install it.
[Unit]
Description=${oneLine(deployment.name).replaceAll('%', '%%').replaceAll('\\', '')} ${node.name}
After=network-online.target
Wants=network-online.target

[Service]
Type=simple
ExecStart=/usr/bin/${program} ${args.join(' ')}
User=redkeep
Group=redkeep
Restart=on-failure
RestartSec=2
TimeoutStopSec=120

# Files: only its own data and its own configuration (Sentinel and CONFIG REWRITE write it) can be written.
UMask=0077
StateDirectory=${prefixOf(deployment)}-${node.name}
StateDirectoryMode=0700
WorkingDirectory=${hostDataFolder(deployment, node.name)}
ReadWritePaths=${hostFolder(deployment)}/nodes/${node.name}
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateUsers=yes
ProtectProc=invisible
ProcSubset=pid

# Privileges: none, and none to be gained.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
RestrictSUIDSGID=yes
RemoveIPC=yes

# Kernel: nothing to change.
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictRealtime=yes
RestrictNamespaces=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX

# Network: the given sources only.
IPAddressDeny=any
IPAddressAllow=${['localhost', ...peers(deployment), ...deployment.sources].join(' ')}

# Limits. A dump of the memory would hold the data and the keys.
LimitNOFILE=${deployment.policy.maxClients + 1024}
LimitCORE=0
MemoryMax=${memory}M
TasksMax=64

[Install]
WantedBy=multi-user.target
`;
}

/** One word of a unit's command line, whatever it contains: C escapes in quotes, no specifier, no variable. */
export function quoteUnit(value: string): string {
  const escapes: Readonly<Record<string, string>> = { '%': '%%', $: '$$', '"': '\\"', '\\': '\\\\', '\n': '\\n' };
  const text = value.replace(/[%$"\\\n]/g, (character) => escapes[character]!);
  return `"${text.replace(/[\p{Cc}]/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

/** The other nodes, where they are given by address: systemd takes no names here. */
function peers({ nodes }: Deployment): string[] {
  const addresses = nodes.map(({ host }) => host).filter((host) => /^[\d.]+$|:/.test(host));
  return [...new Set(addresses)].filter((host) => !isLoopback(host));
}
