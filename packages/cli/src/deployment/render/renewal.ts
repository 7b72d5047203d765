import type { Deployment } from '../model.js';
import { oneLine } from '../quote.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteShell } from './shell.js';
import { quoteUnit } from './systemd.js';

/** What keeps certificates fresh: a daily timer for the private CA, and a hook for certificates of another CA. */
export function renderRenewal(deployment: Deployment, folder: string): RenderedFile[] {
  return [
    { path: 'renewal/redkeep-renew.service', mode: 0o644, content: service(deployment, folder) },
    { path: 'renewal/redkeep-renew.timer', mode: 0o644, content: timer },
    { path: 'renewal/import-hook.sh', mode: 0o755, content: hook(deployment, folder) },
  ];
}

function service({ name }: Deployment, folder: string): string {
  return `# Written by redkeep init. Set User= to the owner of the folder, then install both files in /etc/systemd/system.
[Unit]
Description=${oneLine(name).replaceAll('%', '%%').replaceAll('\\', '')}: renew certificates that are due

[Service]
Type=oneshot
ExecStart=/usr/bin/env redkeep certs renew --dir ${quoteUnit(folder)}
ExecStart=/usr/bin/env redkeep certs check --dir ${quoteUnit(folder)}
UMask=0077
NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
`;
}

const timer = `# Written by redkeep init. A fleet does not renew at one moment, and a machine that was off catches up.
[Unit]
Description=Renew certificates that are due, daily

[Timer]
OnCalendar=daily
RandomizedDelaySec=4h
Persistent=true

[Install]
WantedBy=timers.target
`;

function hook({ nodes, topology }: Deployment, folder: string): string {
  const publicCa =
    topology === 'single'
      ? "# Let's Encrypt: certbot renew --deploy-hook THIS-FILE"
      : "# Replicas and cluster nodes are clients of each other: a public CA's certificate, for servers only, is refused.";
  return `#!/bin/sh
# Written by redkeep init. Run after another CA has renewed; certbot names the folder in RENEWED_LINEAGE.
${publicCa}
# Everything is checked before anything is replaced, and the new certificate is proved on the wire.
set -eu
: "\${RENEWED_LINEAGE:?folder with fullchain.pem and privkey.pem}"
for node in ${nodes.map((node) => node.name).join(' ')}; do
  redkeep certs import "$node" --dir ${quoteShell(folder)} --cert "$RENEWED_LINEAGE/fullchain.pem" \\
    --key "$RENEWED_LINEAGE/privkey.pem" --ca "\${REDKEEP_ROOT_CA:-/etc/ssl/certs/ISRG_Root_X1.pem}"
done
`;
}
