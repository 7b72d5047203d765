import type { TargetName } from '../../vocabulary/names.js';
import type { Deployment } from '../model.js';
import { hostFolder, prefixOf, unitName } from '../naming.js';
import { oneLine } from '../quote.js';
import { containerName } from './compose.js';
import { escapeMarkdown } from './decisions-md.js';
import { workloadName } from './kubernetes.js';
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
${firewallStep[deployment.target]}
3. Put the data on an encrypted volume: \`encryption-at-rest/\`.
4. Install \`monitoring/redkeep-monitor.service\`, load \`monitoring/prometheus.yml\` into Prometheus and let one alert fire.
5. \`redkeep audit --dir ${dir}\`; keep the report.

## Regular work

| what | when | how |
|---|---|---|
| Certificates | at two thirds of ${policy.certificateDays} days | \`redkeep certs renew --dir ${dir}\`, by the timer in \`renewal/\` |
| Certificates as served | daily | \`redkeep certs check --dir ${dir}\` |
| Users as they run | daily | \`redkeep acl diff --dir ${dir}\` and \`redkeep acl test --dir ${dir}\` |
| Passwords, CA, encryption keys | passwords every ${policy.passwordDays} days, keys every 365, the CA at two thirds of ${policy.caDays} | \`redkeep rotate all --due --yes --dir ${dir}\`, by the timer in \`rotation/\` |
| Backup | every ${policy.backupHours} hours | as the user \`backup\`, by replication; prove it by a restore |
| Updates | weekly | newest patch of ${deployment.engine.name} ${deployment.engine.version}; replicas first |

## Reaching it from elsewhere

${fromElsewhere[deployment.target](deployment)}

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
| FLUSHALL happened | do not restart, copy \`appendonlydir\` at once | \`redkeep restore\` to before that command; without an archive cut the copy: \`redis-check-aof --truncate-to-timestamp\` |
| A server answers without a password | close the port in the firewall | \`redkeep audit\`, look at the ACL file's \`default\` line |
| Memory is full | writes are refused, nothing is lost | \`INFO memory\`, \`redkeep init --memory …\`, \`redkeep apply\` |
${topologyNotes[deployment.topology]}${formCluster(deployment)}`;
  return { path: 'RUNBOOK.md', mode: 0o644, content };
}

const topologyNotes: Readonly<Record<Deployment['topology'], string>> = {
  single: '',
  sentinel: `
## Failover

\`redkeep restart NODE\` hands a primary over to a replica first. When a primary is lost, the sentinels promote a replica after
5 s; \`redkeep up\` then starts the lost server as a replica.

Sentinels rewrite their configuration and the servers': both hold the state of the last failover, and \`redkeep apply\`
keeps it. \`redkeep status\` shows who is primary. A sentinel takes a new certificate only at a restart, which
\`redkeep certs renew\` and \`redkeep apply\` do one at a time, while the others keep the quorum.
`,
  cluster: `
## Cluster

The slots of each node are in its \`data/nodes.conf\`. A primary that is gone for 5 s is replaced by its
replica; keys of a primary without a replica are refused until it is back.
`,
};

/** `up` forms the cluster. Hosts that take files only are for a person, from one of them. */
function formCluster({ topology, target, nodes, engine, caFile, ...deployment }: Deployment): string {
  if (topology !== 'cluster' || target !== 'systemd') return '';
  const cli = engine.name === 'valkey' ? 'valkey-cli' : 'redis-cli';
  const health = deployment.certificates.find(({ name }) => name === 'client-monitoring')!;
  const at = (file: string) => `${hostFolder(deployment)}/${file}`;
  const replicas = nodes.filter(({ role }) => role === 'replica').length;
  const primaries = nodes.length - replicas;
  const addresses = nodes.map(({ host, port }) => `${host}:${port}`).join(' ');
  const inside = `IFS= read -r REDISCLI_AUTH || true; export REDISCLI_AUTH; ${cli} --tls --cacert ${at(caFile)} --cert ${at(health.certFile)} --key ${at(health.keyFile)} --user admin --cluster create ${addresses} --cluster-replicas ${replicas / primaries} --cluster-yes`;
  return `
## Forming the cluster on hosts without ssh

\`redkeep up\` does this where it reaches the hosts. After \`redkeep bundle\` do it once, on one of them. The administrator's
password goes in by standard input; it is in no process list and on no node.

\`\`\`sh
sudo -u redkeep sh -c ${quoteShell(inside)} < secrets/admin.password
\`\`\`
`;
}

const everywhere = (dir: string) => `redkeep up --dir ${dir}
redkeep status --dir ${dir}
redkeep logs --dir ${dir}
redkeep cli --dir ${dir}
redkeep down --dir ${dir}        # the data stays`;

const operations: Readonly<Record<TargetName, (deployment: Deployment, dir: string) => string>> = {
  local: (_, dir) => `\`\`\`sh
${everywhere(dir).replace('redkeep up', 'redkeep up --detach')}
\`\`\``,
  compose: (
    deployment,
    dir,
  ) => `\`redkeep up\` pulls the image, writes its digest and the owner of this folder to \`.env\`, puts the files of each
node into \`containers/\` and starts the containers. With podman say \`podman\` where this page says \`docker\`.

\`\`\`sh
${everywhere(dir)}
docker ps --filter label=com.docker.compose.project=${prefixOf(deployment)}
docker stats ${deployment.nodes.map((node) => containerName(deployment, node)).join(' ')}
\`\`\``,
  systemd: (deployment, dir) => {
    const hosts = [...new Set(deployment.nodes.map(({ host }) => host))];
    const unitsOn = (host: string) =>
      deployment.nodes.filter((node) => node.host === host).map((node) => unitName(deployment, node));
    return `\`redkeep up\` reaches the hosts over your ssh, as root or with sudo without a password. It writes to
\`${hostFolder(deployment)}\` and \`/etc/systemd/system\` there, makes the user \`redkeep\` and starts the units. A host that takes no ssh:
\`redkeep bundle HOST --dir ${dir} > host.sh\`, carry it there and run it as root.

\`\`\`sh
${everywhere(dir)}
\`\`\`

| host | what runs, and where it is looked at |
|---|---|
${hosts.map((host) => `| ${host} | \`systemctl status ${unitsOn(host).join(' ')}\`, \`journalctl -u ${unitsOn(host)[0]} -f\` |`).join('\n')}`;
  },
  kubernetes: (deployment, dir) => {
    const namespace = deployment.namespace ?? 'redkeep';
    return `\`kustomization.yaml\` makes the Secrets from files of this folder; no manifest contains a secret, and
\`kubernetes/\` is a kustomization without Secrets, for a repository. Pods that may connect carry the
label \`redkeep/client: "true"\`. Turn on encryption of Secrets at rest in the cluster, and name the image by digest:
\`redkeep init --dir ${dir} --image NAME@sha256:DIGEST\`.

\`\`\`sh
kubectl create namespace ${namespace}
${everywhere(dir)}
kubectl get pods --namespace ${namespace} --selector app.kubernetes.io/part-of=${prefixOf(deployment)} --watch
\`\`\``;
  },
};

const firewallStep: Readonly<Record<TargetName, string>> = {
  local: '2. The servers listen on this machine alone; load the rules in `firewall/` where that is to change.',
  compose:
    '2. The ports are published on 127.0.0.1 alone; load the rules in `firewall/` on the machine of the containers.',
  systemd: '2. Load the firewall rules in `firewall/` on each host.',
  kubernetes:
    '2. See that the cluster enforces NetworkPolicies: `kubernetes/network-policy.yaml` is what keeps strangers out.',
};

/** For a look from another machine, with the name in the certificate kept: they all are valid for localhost. */
const fromElsewhere: Readonly<Record<TargetName, (deployment: Deployment) => string>> = {
  local: tunnelTo('this-machine'),
  compose: tunnelTo('this-machine'),
  systemd: (deployment) => tunnelTo(deployment.nodes[0]!.host)(deployment),
  kubernetes: (deployment) => {
    const [node] = deployment.nodes;
    const pod = `${workloadName(deployment, node!)}-0`;
    return `No port is open beyond what the NetworkPolicy says. For a look from your own machine:

\`\`\`sh
kubectl port-forward --namespace ${deployment.namespace ?? 'redkeep'} pod/${pod} ${node!.port}:${node!.port}
\`\`\``;
  },
};

function tunnelTo(host: string) {
  return ({
    nodes: [node],
  }: Deployment) => `No port is open to the network beyond what \`firewall/\` says. For a look from your own machine, through a tunnel:

\`\`\`sh
ssh -N -L ${node!.port}:127.0.0.1:${node!.port} user@${host}
\`\`\``;
}
