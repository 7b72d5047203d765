import { isIP } from 'node:net';
import { isLoopback } from 'redkeep';
import { z } from 'zod';
import { CliError } from '../errors.js';
import { keyTypes } from '../pki/authority.js';
import { compareVersions, engineNames, oldestVersions } from '../vocabulary/engines.js';
import { applicationRoles, profileNames, targetNames, topologyNames } from '../vocabulary/names.js';
import { componentNames } from './components.js';

/** Letters, digits, dot, dash, underscore: a name that is the same in a file name, an ACL file and YAML. */
const identifier = z.string().regex(/^[A-Za-z][A-Za-z0-9_.-]{0,62}$/, 'letters, digits, ".", "_" and "-" only');
const pattern = z.string().regex(/^[^\s\p{Cc}]{1,256}$/u, 'one to 256 characters, no blanks');
const hostName = /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,62})(\.[A-Za-z0-9]([A-Za-z0-9-]{0,62}))*$/;
const host = z.string().refine((value) => isIP(value) !== 0 || hostName.test(value), 'a host name or an IP address');
const source = z.string().refine(isNetwork, 'an IP address or a network such as 10.0.0.0/24');
const port = z.number().int().min(1).max(65_535);

const command = z
  .string()
  .regex(/^@?[a-z][a-z0-9._-]*(\|[a-z0-9-]+)?$/, 'a command such as "eval" or a category such as "@scripting"');

const componentPrefix = z
  .string()
  .regex(/^[A-Za-z0-9._-]+:([A-Za-z0-9._-]+:)*$/, 'a prefix that ends in a colon, such as "web:"');

export const applicationSchema = z.strictObject({
  name: identifier.describe('The ACL user the application connects as.'),
  role: z.enum(applicationRoles).default('application'),
  keys: z
    .array(pattern)
    .default([])
    .describe('Key patterns it may touch, for example "shop:*". May be left out where "components" bring their own.'),
  channels: z.array(pattern).default([]).describe('Pub/sub channel patterns. Default: none.'),
  allow: z
    .array(command)
    .default([])
    .describe('Commands or categories beyond the role, for example "scan" or "evalsha".'),
  only: z
    .array(command)
    .min(1)
    .optional()
    .describe('Exactly these commands instead of those of the role, as "redkeep acl learn" proposes them.'),
  components: z
    .array(
      z.union([
        z.enum(componentNames),
        z
          .strictObject({
            name: z.enum(componentNames),
            prefix: componentPrefix.optional(),
            guards: z
              .array(componentPrefix)
              .min(1)
              .optional()
              .describe('Of "locks": prefixes of the values that holders write with guardedSet.'),
          })
          .refine(({ name, guards }) => guards === undefined || name === 'locks', 'only "locks" has guards'),
      ]),
    )
    .default([])
    .describe('Components of @redkeep/guard it uses; each gets what it needs on its own keys and nothing more.'),
});

/** What a user decides; `redkeep.config.json` holds it. */
export const answersSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z.string().min(1).max(200).default('redkeep').describe('What the deployment is called, in any words.'),
  profile: z.enum(profileNames).default('development'),
  engine: z.enum(engineNames).optional().describe('Default: the server found on this machine, else redis.'),
  engineVersion: z
    .string()
    .regex(/^\d{1,2}\.\d{1,2}$/, 'major.minor, for example 7.2')
    .optional(),
  topology: z.enum(topologyNames).default('single'),
  target: z.enum(targetNames).default('local'),
  hosts: z
    .array(host)
    .min(1)
    .optional()
    .describe('Where the nodes run, taken in turn. Default: this machine; containers under their own names.'),
  names: z.array(host).default([]).describe('Further names and addresses clients use; they go into the certificates.'),
  port: port.default(6379).describe('TLS port of the first node; further nodes on the same host follow.'),
  replicas: z.number().int().min(1).max(5).optional().describe('Replicas of each primary. Default: 2, in Cluster 1.'),
  shards: z.number().int().min(3).max(100).default(3).describe('Primaries of a Cluster.'),
  sources: z.array(source).default([]).describe('Networks that may connect, for the firewall.'),
  memoryMegabytes: z.number().int().min(16).max(16_777_216).optional(),
  databases: z.number().int().min(1).max(16_384).optional(),
  eviction: z.enum(['noeviction', 'allkeys-lru', 'allkeys-lfu', 'volatile-lru', 'volatile-ttl']).optional(),
  keyType: z.enum(keyTypes).default('ec-p256'),
  namespace: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a namespace: lower-case letters, digits and "-"')
    .default('redkeep')
    .describe('Kubernetes: the namespace its objects are in; pods are found under names that carry it.'),
  image: z
    .string()
    .regex(/^[a-z0-9][a-zA-Z0-9._\-/:@]{0,254}$/, 'an image such as name:tag@sha256:…')
    .optional()
    .describe('Containers and pods: the image, best with its digest. Default: the official one of the release line.'),
  applications: z
    .array(applicationSchema)
    .min(1)
    .default([{ name: 'app', role: 'application', keys: ['app:*'], channels: ['app:*'], allow: [], components: [] }]),
});

export type Answers = z.output<typeof answersSchema>;
export type AnswersInput = z.input<typeof answersSchema>;

/** Checks answers from flags, a file or questions. Every problem is named with its place. */
export function parseAnswers(input: unknown): Answers {
  const result = answersSchema.safeParse(input);
  if (!result.success) {
    const problems = result.error.issues.map((issue) => `${issue.path.join('.') || 'answers'}: ${issue.message}`);
    throw new CliError(
      'REDKEEP_ANSWERS_INVALID',
      `Wrong answers. ${problems.join('; ')}.`,
      'Correct them and run it again.',
    );
  }
  refuseImpossible(result.data);
  return result.data;
}

function refuseImpossible(answers: Answers): void {
  const impossible = impossibleBecause(answers);
  if (impossible) throw new CliError('REDKEEP_COMBINATION_IMPOSSIBLE', impossible[0], impossible[1]);
}

const reserved = new Set<string>(['default', 'admin', 'monitoring', 'backup', 'replication', 'sentinel', 'auditor']);

function impossibleBecause(answers: Answers): [message: string, next: string] | undefined {
  const { engine, topology, databases, applications, profile, hosts = [] } = answers;
  if (topology === 'cluster' && (databases ?? 1) > 1) {
    return ['A Cluster has one database only.', 'Leave out "databases", or choose the single topology.'];
  }
  if (engine && answers.engineVersion && compareVersions(answers.engineVersion, oldestVersions[engine]) < 0) {
    return [
      `${engine} ${answers.engineVersion} is too old: it lacks what a hardened deployment is made of.`,
      `Choose ${engine} ${oldestVersions[engine]} or newer.`,
    ];
  }
  if (engine === 'dragonfly' && topology !== 'single') {
    return [`Dragonfly does not run as ${topology}.`, 'Choose the single topology, or Redis or Valkey.'];
  }
  if (profile === 'development' && hosts.some((name) => !isLoopback(name)) && answers.target === 'local') {
    return [
      'The development profile never listens on the network.',
      'Choose the staging profile, or leave out "hosts".',
    ];
  }
  const namedHost = hosts.some((name) => isIP(name) === 0 && !isLoopback(name));
  if (answers.target === 'systemd' && namedHost && profile !== 'development') {
    return ['A systemd unit listens on addresses.', 'Give "hosts" as IP addresses and the names as --tls-name.'];
  }
  const keyless = applications.find(({ keys, components }) => keys.length === 0 && components.length === 0);
  if (keyless) {
    return [`The application "${keyless.name}" has no keys.`, 'Give it key patterns ("keys") or "components".'];
  }
  const names = applications.map(({ name }) => name);
  const clash = names.find((name, index) => reserved.has(name) || names.indexOf(name) !== index);
  if (clash) return [`The application name "${clash}" is taken.`, 'Give each application a name of its own.'];
  return undefined;
}

function isNetwork(value: string): boolean {
  const [address = '', bits, ...rest] = value.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** The JSON schema of `redkeep.config.json`, as published beside the package. */
export function answersJsonSchema(): unknown {
  const schema = z.toJSONSchema(answersSchema, { io: 'input' });
  return {
    ...schema,
    title: 'redkeep.config.json',
    description: 'Answers from which "redkeep init" makes a deployment.',
  };
}
