import type { Deployment } from '../model.js';
import { prefixOf } from '../naming.js';
import { operatorService, operatorTimer } from './operator-unit.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteShell } from './shell.js';
import { quoteUnit } from './systemd.js';

/** What keeps certificates fresh: a daily timer for the private CA, and a hook for certificates of another CA. */
export function renderRenewal(deployment: Deployment, folder: string): RenderedFile[] {
  const path = `renewal/${prefixOf(deployment)}-renew`;
  const dir = quoteUnit(folder);
  return [
    operatorService(deployment, {
      path,
      purpose: 'renew certificates that are due',
      commands: [`redkeep certs renew --dir ${dir}`, `redkeep certs check --dir ${dir}`],
    }),
    operatorTimer(path, 'Renew certificates that are due, daily', 'daily', '4h'),
    { path: 'renewal/import-hook.sh', mode: 0o755, content: hook(deployment, folder) },
  ];
}

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
