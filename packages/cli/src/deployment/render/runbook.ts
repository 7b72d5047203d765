import type { TargetName } from '../../vocabulary/names.js';
import type { Deployment } from '../model.js';
import { oneLine } from '../quote.js';
import { escapeMarkdown } from './decisions-md.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteShell } from './shell.js';

/** RUNBOOK.md: start, stop, change, rotate, restore, and what to do in an emergency. */
export function renderRunbook(deployment: Deployment, folder: string): RenderedFile {
  const { policy, nodes } = deployment;
  const dir = quoteShell(folder);
  const content = `# Runbook: ${escapeMarkdown(oneLine(deployment.name))}

| node | role | address |
|---|---|---|
${nodes.map(({ name, role, host, port }) => `| ${name} | ${role} | ${host}:${port} |`).join('\n')}

## Start, stop, look

${operations[deployment.target](deployment, dir)}

## Before it goes live

1. Move \`authority/ca.key\` off this machine: it signs every identity, and no server needs it.
2. Load the firewall rules in \`firewall/\` where the servers run.
3. Put the data on an encrypted volume: \`encryption-at-rest/\`.
4. Install \`monitoring/redkeep-monitor.service\`, load \`monitoring/prometheus.yml\` into Prometheus and let one alert fire.
5. \`redkeep audit --dir ${dir}\`; keep the report.

## Regular work

| what | when | how |
|---|---|---|
| Certificates | at two thirds of ${policy.certificateDays} days | \`redkeep certs renew --dir ${dir}\`, by the timer in \`renewal/\` |
| Certificates as served | daily | \`redkeep certs check --dir ${dir}\` |
| Users as they run | daily | \`redkeep acl diff --dir ${dir}\` and \`redkeep acl test --dir ${dir}\` |
| Passwords | every ${policy.passwordDays} days | \`redkeep rotate users --yes --dir ${dir}\`, by the timer in \`rotation/\` |
| Backup | every ${policy.backupHours} hours | as the user \`backup\`, by replication; prove it by a restore |
| Updates | weekly | newest patch of ${deployment.engine.name} ${deployment.engine.version}; replicas first |

## Reaching it from elsewhere

No port is open to the network beyond what \`firewall/\` says. For a look from your own machine, tunnel through the
bastion and keep the name in the certificate:

\`\`\`sh
ssh -N -L ${nodes[0]!.port}:127.0.0.1:${nodes[0]!.port} user@bastion
\`\`\`

## Let's Encrypt or another CA

\`renewal/import-hook.sh\` is the hook to run after a renewal: certificate, key, chain, names and usage are checked first, the
server takes the pair without a restart, and a handshake proves it; else the earlier pair is put back.

\`\`\`sh
certbot renew --deploy-hook ${quoteShell(`${folder}/renewal/import-hook.sh`)}
\`\`\`

## Emergencies

| sign | first step | then |
|---|---|---|
| A user's password leaked | \`ACL SETUSER name off\`, then \`CLIENT KILL USER name\`: off alone leaves sessions open | new password, \`redkeep acl apply\` |
| Writes nobody knows | \`CLIENT PAUSE 600000 WRITE\`: reads go on | copy data and logs before anything restarts |
| FLUSHALL happened | do not restart, copy \`appendonlydir\` at once | cut the copy back to before it: \`redis-check-aof --truncate-to-timestamp\` |
| A server answers without a password | close the port in the firewall | \`redkeep audit\`, look at the ACL file's \`default\` line |
| Memory is full | writes are refused, nothing is lost | \`INFO memory\`, \`redkeep init --memory … --force\` |
${topologyNotes[deployment.topology]}${formCluster(deployment)}`;
  return { path: 'RUNBOOK.md', mode: 0o644, content };
}

const topologyNotes: Readonly<Record<Deployment['topology'], string>> = {
  single: '',
  sentinel: `
## Failover

Sentinels rewrite \`sentinel.conf\` and the servers' \`server.conf\`: both hold the state of the last failover, so look with
\`redkeep init --dry-run\` before a forced init replaces them. A sentinel takes a new certificate only at a restart: one
at a time, while the others keep the quorum.
`,
  cluster: `
## Cluster

The slots of each node are in its \`data/nodes.conf\`. A primary that is gone for 5 s is replaced by its
replica; keys of a primary without a replica are refused until it is back.
`,
};

/** Locally `up` forms the cluster; elsewhere it is done once by hand, from inside the network of the nodes. */
function formCluster({ topology, target, nodes, engine, caFile, ...deployment }: Deployment): string {
  if (topology !== 'cluster' || target === 'local') return '';
  const cli = engine.name === 'valkey' ? 'valkey-cli' : 'redis-cli';
  const health = deployment.certificates.find(({ name }) => name === 'client-monitoring')!;
  const at = (file: string) => `/etc/redkeep/${file}`;
  const replicas = nodes.filter(({ role }) => role === 'replica').length;
  const primaries = nodes.length - replicas;
  const addresses = nodes.map(({ host, port }) => `$(getent hosts ${host} | cut -d" " -f1):${port}`).join(' ');
  const inside = `IFS= read -r REDISCLI_AUTH || true; export REDISCLI_AUTH; ${cli} --tls --cacert ${at(caFile)} --cert ${at(health.certFile)} --key ${at(health.keyFile)} --user admin --cluster create ${addresses} --cluster-replicas ${replicas / primaries} --cluster-yes`;
  const enter: Readonly<Record<Exclude<TargetName, 'local'>, string>> = {
    compose: `docker compose exec -T ${nodes[0]!.name} sh -c`,
    kubernetes: `kubectl exec --namespace redkeep -i ${nodes[0]!.name}-0 -- sh -c`,
    systemd: 'sudo -u redkeep sh -c',
  };
  return `
## Forming the cluster, once

The administrator's password goes in by standard input; it is in no process list and on no node.

\`\`\`sh
${enter[target]} ${quoteShell(inside)} < secrets/admin.password
\`\`\`
`;
}

const operations: Readonly<Record<TargetName, (deployment: Deployment, dir: string) => string>> = {
  local: (_, dir) => `\`\`\`sh
redkeep up --detach --dir ${dir}
redkeep status --dir ${dir}
redkeep logs --dir ${dir}
redkeep cli --dir ${dir}
redkeep down --dir ${dir}
\`\`\``,
  compose: ({ engine }) => `\`\`\`sh
docker pull ${engine.name}:${engine.version}
export REDKEEP_IMAGE="$(docker inspect --format '{{index .RepoDigests 0}}' ${engine.name}:${engine.version})"
export REDKEEP_UID="$(id -u)" REDKEEP_GID="$(id -g)"
docker compose up --detach --wait
docker compose ps
docker compose logs --follow
docker compose down        # the data stays in nodes/*/data
\`\`\``,
  systemd: ({ nodes }, dir) => `\`\`\`sh
useradd --system --home-dir /nonexistent --shell /usr/sbin/nologin redkeep
install -d -o redkeep -g redkeep -m 0700 /etc/redkeep
cp -r ${dir}/nodes ${dir}/pki /etc/redkeep/ && chown -R redkeep:redkeep /etc/redkeep
install -m 0644 ${dir}/systemd/*.service /etc/systemd/system/
systemctl daemon-reload
systemctl enable --now ${nodes.map(({ name }) => `redkeep-${name}`).join(' ')}
systemd-analyze security ${nodes.map(({ name }) => `redkeep-${name}`).join(' ')}
journalctl -u redkeep-${nodes[0]!.name} -f
\`\`\``,
  kubernetes:
    () => `The kustomization reads secrets from this folder; no manifest contains a secret. Pods that may connect carry the
label \`redkeep/client: "true"\`. Turn on encryption of Secrets at rest in the cluster, and name the image by digest.

\`\`\`sh
kustomize edit set image redkeep-server=NAME@sha256:DIGEST
kubectl create namespace redkeep
kubectl apply --namespace redkeep -k .
kubectl get pods --namespace redkeep --watch
\`\`\``,
};
