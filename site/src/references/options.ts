/** `docs/reference/options.md`: every option of the client, from the schema that checks them and the types beside it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  CLIENT_SCHEMA,
  CLUSTER_SCHEMA,
  POOL_SCHEMA,
  type Schema,
  SENTINEL_SCHEMA,
} from '../../../packages/client/dist/options/option-schema.js';
import { repository } from '../repository.js';
import { cell, codeCell, type Declaration, declarationsOf, descriptionOf, type Member, tagOf } from './declarations.js';

const dist = join(repository, 'packages/client/dist');

/** Interfaces of the client by name; those of the ioredis and node-redis shapes have names of their own folders. */
const interfaces = new Map<string, Declaration>(
  readdirSync(dist, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.d.ts') && !/^(ioredis|node-redis|testing)\b|\.test\./.test(file))
    // What was moved leaves its old declaration behind.
    .filter((file) => existsSync(join(dist, '../src', file.replace(/\.d\.ts$/, '.ts'))))
    .flatMap((file) => [...declarationsOf(join(dist, file))])
    .filter(([, { kind }]) => kind === 'interface'),
);

function membersOf(name: string): Member[] {
  const found = interfaces.get(name);
  return found ? [...found.members, ...found.parents.flatMap(membersOf)] : [];
}

export interface OptionSection {
  readonly title: string;
  /** What comes before the name of each option: `socket.`. */
  readonly path: string;
  readonly schema: Schema;
  readonly types: readonly string[];
  readonly about: string;
}

const inner = (schema: Schema, name: string): Schema => schema[name]!.schema!();

export const optionSections: readonly OptionSection[] = [
  {
    title: 'createClient',
    path: '',
    schema: CLIENT_SCHEMA,
    types: ['ClientOptions', 'NodeRedisOptions'],
    about: 'Options of `createClient`. Those of a pool, a cluster and Sentinel clients are further down.',
  },
  {
    title: 'socket',
    path: 'socket.',
    schema: inner(CLIENT_SCHEMA, 'socket'),
    types: ['SocketOptions'],
    about: 'How the connection is made. TLS options can be given here or in `tls`.',
  },
  {
    title: 'tls',
    path: 'tls.',
    schema: inner(CLIENT_SCHEMA, 'tls'),
    types: ['TlsOptions', 'SocketOptions'],
    about: 'Trust, client certificate and limits of TLS: see [connecting securely](../connecting-securely.md).',
  },
  {
    title: 'commandOptions',
    path: 'commandOptions.',
    schema: inner(CLIENT_SCHEMA, 'commandOptions'),
    types: ['CommandOptions'],
    about: 'Defaults of every command; `client.withCommandOptions({ … })` returns a client with others.',
  },
  {
    title: 'replyLimits',
    path: 'replyLimits.',
    schema: inner(CLIENT_SCHEMA, 'replyLimits'),
    types: ['ReplyLimits'],
    about: 'Bounds of what a server may answer. A reply beyond one ends the connection with `REDKEEP_REPLY_LIMIT`.',
  },
  {
    title: 'rateLimit',
    path: 'rateLimit.',
    schema: inner(CLIENT_SCHEMA, 'rateLimit'),
    types: ['RateLimitOptions'],
    about: 'Bounds what the client sends.',
  },
  {
    title: 'circuitBreaker',
    path: 'circuitBreaker.',
    schema: inner(CLIENT_SCHEMA, 'circuitBreaker'),
    types: ['CircuitBreakerOptions'],
    about: 'Rejects commands at once after several failed in a row.',
  },
  {
    title: 'clientSideCache',
    path: 'clientSideCache.',
    schema: inner(CLIENT_SCHEMA, 'clientSideCache'),
    types: ['ClientSideCacheOptions'],
    about: 'Replies kept on the client until the server reports a change.',
  },
  {
    title: 'createClientPool',
    path: '',
    schema: POOL_SCHEMA,
    types: ['PoolOptions'],
    about: 'The second argument of `createClientPool(clientOptions, poolOptions)`.',
  },
  {
    title: 'createCluster',
    path: '',
    schema: CLUSTER_SCHEMA,
    types: ['ClusterOptions', 'ClientOptions'],
    about: 'Options of `createCluster`; those of each connection are in `defaults`.',
  },
  {
    title: 'createSentinel',
    path: '',
    schema: SENTINEL_SCHEMA,
    types: ['SentinelOptions', 'ClientOptions'],
    about:
      'Options of `createSentinel`; those of each connection are in `nodeClientOptions` and `sentinelClientOptions`.',
  },
];

/** Accepted for code that comes from node-redis or Node's TLS, and without a type, so that nobody begins to use them. */
const ENTERPRISE = "node-redis's, for maintenance pushes of Redis Enterprise, which are not followed. No effect.";
const WITHOUT_TYPE: Readonly<Record<string, string>> = {
  chainId: "node-redis's. No effect: commands of a chain stay together without it.",
  maintEndpointType: ENTERPRISE,
  maintRelaxedCommandTimeout: ENTERPRISE,
  maintRelaxedSocketTimeout: ENTERPRISE,
  rejectUnauthorized: 'Only `true` is accepted.',
};

/** What a value may be, as the option's own error says it. */
function boundsOf(schema: Schema, name: string): string {
  try {
    schema[name]!(Symbol('no option takes this'), name);
  } catch (error) {
    return (error as Error).message
      .replace(`${name}: `, '')
      .replace(`${name} `, '')
      .replace(/^must (?:be )?/, '');
  }
  return '';
}

function row({ schema, types, path }: OptionSection, name: string): string {
  const members = types.flatMap(membersOf).filter((each) => each.name === name);
  const member = members.find(({ comment }) => comment !== '') ?? members[0];
  const bounds = schema[name]!.schema ? '' : boundsOf(schema, name);
  const comment = member?.comment || (WITHOUT_TYPE[name] ?? '');
  const nested = schema[name]!.schema ? optionSections.find(({ path }) => path === `${name}.`) : undefined;
  const cells = [
    codeCell(`${path}${name}`),
    member ? codeCell(member.type) : '',
    cell(tagOf(comment, 'default')),
    [
      cell(descriptionOf(comment)),
      bounds === '' ? '' : `Takes: ${cell(bounds)}.`,
      nested ? `See [${name}](#${name.toLowerCase()}).` : '',
    ]
      .filter(Boolean)
      .join(' '),
  ];
  return `| ${cells.join(' | ')} |`;
}

export function optionsPage(): string {
  const sections = optionSections.map((section) => {
    const rows = Object.keys(section.schema).map((name) => row(section, name));
    return `## ${section.title}\n\n${section.about}\n\n| option | type | default | what it does |\n|---|---|---|---|\n${rows.join('\n')}`;
  });
  return `# Options

Every option of the client, from the schema that checks them (\`packages/client/src/options/option-schema.ts\`). A name that
is not here is refused with the nearest one that is; a wrong value is refused with the option's path, when the client is
created. Options of the ioredis shapes are in [migrating from ioredis](../migrating-from-ioredis.md#options).

${sections.join('\n\n')}
`;
}
