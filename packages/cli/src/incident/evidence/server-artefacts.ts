import type { Ask } from '../../audit/gather/live.js';
import { record, settingNames } from '../../audit/gather/live.js';
import { keyPattern } from '../../doctor/key-pattern.js';
import { suspiciousLines } from '../indicators/payloads.js';
import type { Redactor } from './redactor.js';

/** What of a server decides which artefacts it has. */
export interface ServerKind {
  readonly engine: string;
  readonly isCluster: boolean;
  readonly isSentinel: boolean;
}

export interface ServerArtefact {
  readonly id: string;
  /** The commands that it asks; all of them only read. */
  readonly asks: readonly string[];
  /** Absent: every server has it. */
  readonly appliesTo?: (kind: ServerKind) => boolean;
  read(ask: Ask, redactor: Redactor): Promise<string>;
}

/** Settings beside those of the audit that attackers change. None of them is a secret. */
export const tellingSettings = [
  'rdbcompression',
  'aof-rewrite-incremental-fsync',
  'rdb-save-incremental-fsync',
  'auto-aof-rewrite-percentage',
  'replica-serve-stale-data',
  'loadmodule',
] as const;

const plainly = (reply: unknown): unknown => {
  if (reply instanceof Map) return Object.fromEntries([...reply].map(([key, value]) => [String(key), plainly(value)]));
  if (reply instanceof Set) return [...reply].map(plainly);
  if (Array.isArray(reply)) return reply.map(plainly);
  if (Buffer.isBuffer(reply)) return reply.toString('latin1');
  if (reply !== null && typeof reply === 'object')
    return Object.fromEntries(Object.entries(reply).map(([key, value]) => [key, plainly(value)]));
  return typeof reply === 'bigint' ? String(reply) : reply;
};

const asJson = (value: unknown): string => `${JSON.stringify(plainly(value), null, 2)}\n`;

/** The reply to one command; `text` makes of it what may be kept. */
const reply =
  (text: (reply: unknown, redactor: Redactor) => string) =>
  (id: string, words: readonly string[], appliesTo?: ServerArtefact['appliesTo']): ServerArtefact => ({
    id,
    asks: [words.join(' ')],
    ...(appliesTo && { appliesTo }),
    read: async (ask, redactor) => text(await ask(...words), redactor),
  });

/** A command whose reply holds no names of keys, no values and no credentials. */
const plain = reply((value, redactor) => redactor.clean(typeof value === 'string' ? value : asJson(value)));

/** Names of commands are kept, what they were called with is not: arguments are keys, values and passwords. */
function withoutArguments(entry: unknown, redactor: Redactor): unknown {
  if (!Array.isArray(entry)) return plainly(entry);
  return entry.map((part, index) => {
    if (index !== 3 || !Array.isArray(part)) return plainly(part);
    return part.map((argument, position) => {
      const text = String(argument);
      if (position === 0) return text;
      return position === 1 ? redactor.clean(keyPattern(text)) : `<${Buffer.byteLength(text)} bytes>`;
    });
  });
}

const commandLog = reply((value, redactor) =>
  asJson(Array.isArray(value) ? value.map((entry) => withoutArguments(entry, redactor)) : []),
);

const isValkey = ({ engine }: ServerKind): boolean => engine === 'valkey';

/** In the order in which they are lost: what a moment changes comes first. */
export const serverArtefacts: readonly ServerArtefact[] = [
  plain('clients', ['CLIENT', 'LIST']),
  {
    id: 'acl-log',
    asks: ['ACL USERS', 'ACL LOG 128'],
    read: async (ask, redactor) => {
      // People type passwords where a name belongs: only names that exist are kept.
      const users = new Set((await ask('ACL', 'USERS').catch(() => [])) as readonly unknown[]);
      const entries = (await ask('ACL', 'LOG', '128')) as readonly unknown[];
      return asJson(
        entries.map((entry) => {
          const fields = record(entry);
          const name = fields['username'] ?? '';
          const isCommand = fields['reason'] === 'command' || fields['reason'] === 'auth';
          return {
            ...fields,
            username: users.has(name) ? name : redactor.standIn(name),
            object: isCommand ? redactor.clean(fields['object'] ?? '') : keyPattern(fields['object'] ?? ''),
            'client-info': redactor.clean(fields['client-info'] ?? ''),
          };
        }),
      );
    },
  },
  commandLog('slow-log', ['SLOWLOG', 'GET', '128']),
  commandLog('large-requests', ['COMMANDLOG', 'GET', '128', 'large-request'], isValkey),
  commandLog('large-replies', ['COMMANDLOG', 'GET', '128', 'large-reply'], isValkey),
  plain('info', ['INFO', 'everything']),
  plain('role', ['ROLE']),
  {
    id: 'users',
    asks: ['ACL LIST'],
    read: async (ask, redactor) => {
      const lines = (await ask('ACL', 'LIST')) as readonly unknown[];
      return `${lines.map((line) => redactor.aclLine(String(line))).join('\n')}\n`;
    },
  },
  {
    id: 'settings',
    asks: ['CONFIG GET (each of these, never *)', ...settingNames, ...tellingSettings],
    read: async (ask, redactor) => {
      const found: Record<string, string> = {};
      for (const name of [...settingNames, ...tellingSettings])
        Object.assign(found, record(await ask('CONFIG', 'GET', name)));
      return redactor.clean(asJson(found));
    },
  },
  plain('modules', ['MODULE', 'LIST']),
  {
    id: 'functions',
    asks: ['FUNCTION LIST WITHCODE'],
    read: async (ask, redactor) => {
      const libraries = (await ask('FUNCTION', 'LIST', 'WITHCODE')) as readonly unknown[];
      const { createHash } = await import('node:crypto');
      return asJson(
        libraries.map((library) => {
          const { library_code: code = '', library_name: name = '', engine = '' } = record(library);
          return {
            name,
            engine,
            bytes: Buffer.byteLength(code),
            sha256: createHash('sha256').update(code).digest('hex'),
            suspicious: suspiciousLines(code).map((line) => redactor.clean(line)),
          };
        }),
      );
    },
  },
  plain('commands', ['COMMAND', 'LIST']),
  plain('latency', ['LATENCY', 'LATEST']),
  plain('memory', ['MEMORY', 'STATS']),
  plain('cluster-nodes', ['CLUSTER', 'NODES'], ({ isCluster }) => isCluster),
  plain('cluster-shards', ['CLUSTER', 'SHARDS'], ({ isCluster }) => isCluster),
  plain('sentinel', ['SENTINEL', 'MASTERS'], ({ isSentinel }) => isSentinel),
  {
    id: 'channels',
    asks: ['PUBSUB CHANNELS'],
    read: async (ask) => asJson(((await ask('PUBSUB', 'CHANNELS')) as readonly unknown[]).map(String).map(keyPattern)),
  },
  plain('last-save', ['LASTSAVE']),
  plain('keys', ['DBSIZE']),
];
