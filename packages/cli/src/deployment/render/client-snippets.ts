import path from 'node:path';
import { type Material, passwordOf } from '../material.js';
import {
  certificateOf,
  type Deployment,
  type DeploymentNode,
  dataNodes,
  isApplication,
  sentinelNodes,
  type User,
} from '../model.js';
import type { RenderedFile } from './rendered-file.js';
import { quoteShell } from './shell.js';

/** How each application connects: environment, Redkeep, node-redis, ioredis and redis-cli. Passwords stay in files. */
export function renderClientSnippets(deployment: Deployment, folder: string): RenderedFile[] {
  return deployment.users.filter(isApplication).flatMap((user) => [
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

/** For development: `.env` files with the password, for programs that read nothing else. For the owner alone. */
export function renderDotEnv(deployment: Deployment, material: Material, folder: string): RenderedFile[] {
  if (deployment.profile !== 'development') return [];
  return deployment.users.filter(isApplication).map((user) => {
    const { REDIS_PASSWORD_FILE: _, ...variables } = variablesOf(deployment, user, folder);
    const lines = Object.entries({ ...variables, REDIS_PASSWORD: passwordOf(material, user.name) });
    const text = lines.map(([name, value]) => `${name}=${quoteShell(value)}`).join('\n');
    return { path: `secrets/${user.name}.env`, mode: 0o600, content: `${text}\n`, made: true };
  });
}

function variablesOf(deployment: Deployment, user: User, folder: string) {
  const node = dataNodes(deployment)[0]!;
  const { ca, cert, key, password } = files(deployment, user, folder);
  return {
    REDIS_URL: `rediss://${url(node.host)}:${node.port}`,
    REDIS_USERNAME: user.name,
    REDIS_PASSWORD_FILE: password,
    REDIS_TLS_CA_FILE: ca,
    REDIS_TLS_CERT_FILE: cert,
    REDIS_TLS_KEY_FILE: key,
  };
}

function environment(deployment: Deployment, user: User, folder: string): string {
  const lines = variablesOf(deployment, user, folder);
  const text = Object.entries(lines).map(([name, value]) => `${name}=${quoteShell(value)}`);
  const { create } = byTopology[deployment.topology];
  const head =
    deployment.topology === 'single'
      ? [
          `# How ${user.name} connects. createClient() of redkeep reads all of these by itself, the password file too;`,
          '# a rotated password is taken without a reconnect. In a shell: set -a; . FILE',
        ]
      : [
          `# How ${user.name} connects to ${dataNodes(deployment)[0]!.name} alone, for a look. An application uses ${create}():`,
          `# ${user.name}.md has the code. In a shell: set -a; . FILE`,
        ];
  return `${[...head, ...text].join('\n')}\n`;
}

function url(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** What the code blocks are put together from: expressions and option lists in JavaScript. */
interface Parts {
  readonly address: (node: DeploymentNode) => string;
  readonly addresses: (nodes: readonly DeploymentNode[]) => string;
  readonly username: string;
  readonly password: string;
}

function snippets(deployment: Deployment, user: User, folder: string): string {
  const { ca, cert, key, password } = files(deployment, user, folder);
  const address = ({ host, port }: DeploymentNode) => `host: ${JSON.stringify(host)}, port: ${port}`;
  const parts: Parts = {
    address,
    addresses: (nodes) => `[${nodes.map((node) => `{ ${address(node)} }`).join(', ')}]`,
    username: JSON.stringify(user.name),
    password: `readFileSync(${JSON.stringify(password)}, 'utf8').trim()`,
  };
  const tlsFiles = `{ caFile: ${JSON.stringify(ca)}, certFile: ${JSON.stringify(cert)}, keyFile: ${JSON.stringify(key)} }`;
  const read = (file: string) => `readFileSync(${JSON.stringify(file)})`;
  const tlsTexts = `{ ca: ${read(ca)}, cert: ${read(cert)}, key: ${read(key)} }`;
  const { create, call } = byTopology[deployment.topology];
  const node = dataNodes(deployment)[0]!;
  const where = `-h ${node.host} -p ${node.port}`;
  const cli = deployment.engine.name === 'valkey' ? 'valkey-cli' : 'redis-cli';
  return `# ${user.name}: how to connect

## Redkeep

\`\`\`ts
import { ${create}, fromFile } from 'redkeep';

// Looked at again when it changes: a rotated password is taken without a reconnect.
const credentialsProvider = fromFile({ username: ${parts.username}, password: ${JSON.stringify(password)} });
const tls = ${tlsFiles};
const client = ${call(deployment, parts, '{ tls, credentialsProvider }')};
await client.connect();
\`\`\`

## node-redis

\`\`\`ts
import { readFileSync } from 'node:fs';
import { ${create} } from 'redis';

const credentials = { username: ${parts.username}, password: ${parts.password} };
const tls = ${tlsTexts};
const client = ${call(deployment, parts, '{ socket: { tls: true, ...tls }, ...credentials }')};
await client.connect();
\`\`\`

## ioredis

\`\`\`ts
import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';

const credentials = { username: ${parts.username}, password: ${parts.password} };
const tls = ${tlsTexts};
const redis = ${ioredis[deployment.topology](deployment, parts)};
\`\`\`

## ${cli}

The password travels in the environment, not in the process list: \`redkeep cli --user ${user.name}\` does the same.

\`\`\`sh
REDISCLI_AUTH="$(cat ${quoteShell(password)})" ${cli} ${where} --tls --cacert ${quoteShell(ca)} \\
  --cert ${quoteShell(cert)} --key ${quoteShell(key)} --user ${user.name}${deployment.topology === 'cluster' ? ' -c' : ''}
\`\`\`
`;
}

interface Creation {
  readonly create: 'createClient' | 'createSentinel' | 'createCluster';
  /** The call, given the options of each connection; those of Redkeep and node-redis differ only there. */
  readonly call: (deployment: Deployment, parts: Parts, options: string) => string;
}

const byTopology: Readonly<Record<Deployment['topology'], Creation>> = {
  single: {
    create: 'createClient',
    call: (deployment, { address }, options) => {
      const where = address(dataNodes(deployment)[0]!);
      return options.includes('socket: {')
        ? `createClient(${options.replace('socket: {', `socket: { ${where},`)})`
        : `createClient({ socket: { ${where} }, ...${options} })`;
    },
  },
  sentinel: {
    create: 'createSentinel',
    call: (deployment, { addresses }, options) => `createSentinel({
  name: ${JSON.stringify(deployment.sentinel!.primaryName)},
  sentinelRootNodes: ${addresses(sentinelNodes(deployment))},
  nodeClientOptions: ${options},
  sentinelClientOptions: ${options},
})`,
  },
  cluster: {
    create: 'createCluster',
    call: (deployment, { address }, options) => `createCluster({
  rootNodes: [${dataNodes(deployment)
    .map((node) => `{ socket: { ${address(node)} } }`)
    .join(', ')}],
  defaults: ${options},
})`,
  },
};

const ioredis: Readonly<Record<Deployment['topology'], (deployment: Deployment, parts: Parts) => string>> = {
  single: (deployment, { address }) => `new Redis({ ${address(dataNodes(deployment)[0]!)}, tls, ...credentials })`,
  sentinel: (deployment, { addresses }) => `new Redis({
  name: ${JSON.stringify(deployment.sentinel!.primaryName)},
  sentinels: ${addresses(sentinelNodes(deployment))},
  sentinelUsername: credentials.username,
  sentinelPassword: credentials.password,
  enableTLSForSentinelMode: true,
  sentinelTLS: tls,
  tls,
  ...credentials,
})`,
  cluster: (deployment, { addresses }) =>
    `new Redis.Cluster(${addresses(dataNodes(deployment))}, { redisOptions: { tls, ...credentials } })`,
};
