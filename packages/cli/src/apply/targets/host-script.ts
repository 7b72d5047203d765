import { isIPv4 } from 'node:net';
import { certificateOf, type Deployment, type DeploymentNode } from '../../deployment/model.js';
import { hostFolder, prefixOf, unitName } from '../../deployment/naming.js';
import { quoteShell } from '../../deployment/render/shell.js';
import { keepServerOwnedScript } from '../../deployment/server-owned.js';
import type { NodeFile, PrimaryAddress } from '../delivery.js';
import { hashesOf } from '../node-files.js';

/** What the script answers where another deployment of this name is on the host. */
export const foreignExit = 9;

/**
 * A POSIX shell script that puts a node's files onto a systemd host, for root. It is what goes through ssh and what a
 * bundle holds. Safe to repeat: each file appears as a whole, and what the server wrote stays. Certificates and secrets
 * belong to root and are only readable for the server: one that was taken over cannot replace them.
 */
export function hostScript(
  deployment: Deployment,
  identity: string,
  node: DeploymentNode,
  files: readonly NodeFile[],
  primary?: PrimaryAddress,
): string {
  const etc = hostFolder(deployment);
  const unit = unitName(deployment, node);
  const own = `${etc}/nodes/${node.name}`;
  const config = `${etc}/${node.configFile}`;
  const keyFile = certificateOf(deployment, node.certificate).keyFile;
  const parts = files.map(({ path, content, mode }) => {
    if (path.startsWith('systemd/')) return put(`/etc/systemd/system/${unit}`, content, 'root:root', 0o644);
    if (path === node.configFile) {
      return `${put(`${config}.rendered`, content, 'redkeep:redkeep', 0o600)}${keepServerOwnedScript(`${config}.rendered`, config, node.role)}
rm -f ${quoteShell(`${config}.rendered`)}
${rolesFor(config, node, primary)}chown redkeep:redkeep ${quoteShell(config)}
`;
    }
    if (path === node.aclFile) return put(`${etc}/${path}`, content, 'redkeep:redkeep', 0o600);
    const readable = path === keyFile || mode === 0o600 ? 0o640 : 0o644;
    return put(`${etc}/${path}`, content, 'root:redkeep', readable);
  });
  const record = JSON.stringify(hashesOf(files));
  return `set -eu
umask 077
id redkeep >/dev/null 2>&1 || useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin redkeep
install -d -m 0750 -o root -g redkeep ${etc} ${etc}/nodes ${etc}/pki ${etc}/pki/clients ${etc}/secrets
if [ -f ${etc}/.deployment ] && [ "$(cat ${etc}/.deployment)" != ${quoteShell(identity)} ]; then
  echo "${etc} belongs to another deployment of this name" >&2; exit ${foreignExit}
fi
printf '%s' ${quoteShell(identity)} > ${etc}/.deployment
install -d -m 0700 -o redkeep -g redkeep ${own}
put() {
  base64 -d > "$1.new"; chown "$2" "$1.new"; chmod "$3" "$1.new"; mv -f "$1.new" "$1"
}
${parts.join('')}systemctl daemon-reload
printf '%s' ${quoteShell(record)} > ${etc}/.delivered-${node.name}.new
mv -f ${etc}/.delivered-${node.name}.new ${etc}/.delivered-${node.name}
`;
}

/** An IPv4 address as /proc/net/tcp has it. */
function hexOf(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return bytes.reverse().join('').toUpperCase();
}

/**
 * Prints, a line each, which of a node's ports another program listens on, and which unit that program belongs to. Needs
 * nothing on the host but awk. A server that another package started is the usual one, and it has no password.
 */
export function takenPortsScript(node: DeploymentNode): string {
  const wildcards = ['0'.repeat(8), '0'.repeat(32)];
  const own = node.bind.filter((address) => isIPv4(address)).map(hexOf);
  const addresses = [...wildcards, ...own].join('|');
  const ports = [node.port, ...(node.busPort === undefined ? [] : [node.busPort])];
  return ports
    .map((port) => {
      const hex = port.toString(16).toUpperCase().padStart(4, '0');
      return `for inode in $(awk '$4 == "0A" && $2 ~ /^(${addresses}):${hex}$/ {print $10}' /proc/net/tcp /proc/net/tcp6 2>/dev/null); do
  unit=
  for fd in /proc/[0-9]*/fd/*; do
    [ "$(readlink "$fd" 2>/dev/null)" = "socket:[$inode]" ] || continue
    unit="$(sed -n 's|.*/\\([^/]*\\.service\\).*|\\1|p' "\${fd%%/fd/*}/cgroup" 2>/dev/null | head -n 1)"
    break
  done
  echo "${port} $unit"; break
done`;
    })
    .join('\n');
}

/** Standard input of `put` is in the script itself: nothing secret is an argument. */
function put(path: string, content: string, owner: string, mode: number): string {
  const lines = Buffer.from(content, 'utf8').toString('base64').replace(/.{76}/g, '$&\n');
  return `put ${quoteShell(path)} ${owner} ${mode.toString(8)} <<'END_OF_FILE'\n${lines}\nEND_OF_FILE\n`;
}

/** For a start: which node is primary. Without it the file keeps what the server decided. */
function rolesFor(config: string, node: DeploymentNode, primary: PrimaryAddress | undefined): string {
  if (!primary) return '';
  const file = quoteShell(config);
  if (node.role === 'sentinel') {
    return `sed -E -i 's/^(sentinel monitor [^ ]+) [^ ]+ [0-9]+ ([0-9]+)$/\\1 ${primary.host} ${primary.port} \\2/' ${file}\n`;
  }
  const isPrimary = node.host === primary.host && node.port === primary.port;
  const line = isPrimary ? '' : `printf 'replicaof %s %s\\n' ${primary.host} ${primary.port} >> ${file}\n`;
  return `sed -E -i '/^(replicaof|slaveof) /d' ${file}\n${line}`;
}

/** A script for a host that redkeep cannot reach: a person copies it there and runs it as root. */
export function hostBundle(
  deployment: Deployment,
  identity: string,
  host: string,
  nodes: readonly { readonly node: DeploymentNode; readonly files: readonly NodeFile[] }[],
): string {
  const units = nodes.map(({ node }) => unitName(deployment, node)).join(' ');
  const bodies = nodes.map(({ node, files }) => `# ${node.name}\n${hostScript(deployment, identity, node, files)}`);
  return `#!/bin/sh
# Written by redkeep bundle for ${host} of ${prefixOf(deployment)}. It holds private keys and passwords: copy it over a
# private way, run it there as root (sh THIS-FILE), and delete it. Run again after a change; with --restart the units
# take what only a start takes, one host at a time, replicas first.
${bodies.join('\n')}
systemctl enable --now ${units}
[ "\${1-}" = --restart ] && systemctl restart ${units} || true
systemctl --no-pager --lines=0 status ${units} || true
`;
}
