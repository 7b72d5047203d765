import path from 'node:path';
import { certificateOf, type Deployment, dataNodes, sentinelNodes, type User } from '../model.js';
import { roles } from '../roles.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteShell } from './shell.js';

/** How each application connects: environment, Redkeep, node-redis, ioredis and redis-cli. Passwords stay in files. */
export function renderClientSnippets(deployment: Deployment, folder: string): RenderedFile[] {
  const applications = deployment.users.filter(({ role }) => ['read-write', 'read'].includes(roles[role].keyAccess));
  return applications.flatMap((user) => [
    { path: `clients/${user.name}.env`, mode: 0o644 as const, content: environment(deployment, user, folder) },
    { path: `clients/${user.name}.md`, mode: 0o644 as const, content: snippets(deployment, user, folder) },
  ]);
}

function files(deployment: Deployment, user: User, folder: string) {
  const certificate = certificateOf(deployment, user.certificate);
  const at = (relativePath: string) => path.join(folder, relativePath);
  return {
    ca: at(deployment.caFile),
    cert: at(certificate.certFile),
    key: at(certificate.keyFile),
    password: at(user.passwordFile),
  };
}

function environment(deployment: Deployment, user: User, folder: string): string {
  const node = dataNodes(deployment)[0]!;
  const { ca, cert, key, password } = files(deployment, user, folder);
  const lines = {
    REDIS_URL: `rediss://${url(node.host)}:${node.port}`,
    REDIS_USERNAME: user.name,
    REDIS_PASSWORD_FILE: password,
    REDIS_TLS_CA_FILE: ca,
    REDIS_TLS_CERT_FILE: cert,
    REDIS_TLS_KEY_FILE: key,
  };
  const text = Object.entries(lines).map(([name, value]) => `${name}=${quoteShell(value)}`);
  return `# How ${user.name} connects. The password stands in a file, not here.\n${text.join('\n')}\n`;
}

function url(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function snippets(deployment: Deployment, user: User, folder: string): string {
  const node = dataNodes(deployment)[0]!;
  const { ca, cert, key, password } = files(deployment, user, folder);
  const text = (value: string) => JSON.stringify(value);
  const nodes = (list: readonly { host: string; port: number }[]) =>
    `[${list.map(({ host, port }) => `{ host: ${text(host)}, port: ${port} }`).join(', ')}]`;
  const tlsFiles = `{ caFile: ${text(ca)}, certFile: ${text(cert)}, keyFile: ${text(key)} }`;
  const tlsTexts = `{ ca: readFileSync(${text(ca)}), cert: readFileSync(${text(cert)}), key: readFileSync(${text(key)}) }`;
  const login = `username: ${text(user.name)}, password: readFileSync(${text(password)}, 'utf8').trim()`;
  const { topology, sentinel } = deployment;
  const where = `host: ${text(node.host)}, port: ${node.port}`;
  const ioredis =
    topology === 'cluster'
      ? `new Redis.Cluster(${nodes(dataNodes(deployment))}, { redisOptions: { ${login}, tls } })`
      : topology === 'sentinel'
        ? `new Redis({ sentinels: ${nodes(sentinelNodes(deployment))}, name: ${text(sentinel!.primaryName)}, ${login},\n  sentinelUsername: ${text(user.name)}, sentinelPassword: readFileSync(${text(password)}, 'utf8').trim(), tls, sentinelTLS: tls, enableTLSForSentinelMode: true })`
        : `new Redis({ ${where}, ${login}, tls })`;
  const topologyNote =
    topology === 'single'
      ? ''
      : `\nThe first node is shown; with ${topology} give all: \`${nodes(topology === 'cluster' ? dataNodes(deployment) : sentinelNodes(deployment))}\`.\n`;
  return `# ${user.name}: how to connect
${topologyNote}
## Redkeep

\`\`\`ts
import { readFileSync } from 'node:fs';
import { createClient } from 'redkeep';

const client = createClient({
  socket: { ${where} },
  tls: ${tlsFiles},
  ${login},
});
await client.connect();
\`\`\`

## node-redis

\`\`\`ts
import { readFileSync } from 'node:fs';
import { createClient } from 'redis';

const tls = ${tlsTexts};
const client = createClient({ socket: { ${where}, tls: true, ...tls }, ${login} });
await client.connect();
\`\`\`

## ioredis

\`\`\`ts
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';

const tls = ${tlsTexts};
const redis = ${ioredis};
\`\`\`

## redis-cli

The password travels in the environment, not in the process list: \`redkeep cli --user ${user.name}\` does the same.

\`\`\`sh
REDISCLI_AUTH="$(cat ${quoteShell(password)})" redis-cli -h ${node.host} -p ${node.port} --tls --cacert ${quoteShell(ca)} \\
  --cert ${quoteShell(cert)} --key ${quoteShell(key)} --user ${user.name}${topology === 'cluster' ? ' -c' : ''}
\`\`\`
`;
}
