import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Endpoint } from '../audit/gather/endpoint.js';
import { openTls } from '../audit/gather/endpoint.js';
import { type Ask, readInfo } from '../audit/gather/live.js';
import type { Session } from '../audit/gather/node.js';
import { clientList } from '../engine/client-list.js';
import type {
  ClientRow,
  CommandUse,
  Evidence,
  HostFacts,
  Info,
  KeySample,
  LatencyEvent,
  SlowEntry,
  Unknown,
} from './evidence.js';
import { keyPattern } from './key-pattern.js';
import { sampleKeys } from './sample-keys.js';

export interface GatherOptions {
  /** How long the server is watched, in seconds: 1 to 600. */
  readonly seconds: number;
  /** At most this many keys are looked at; 0 for none. */
  readonly keys: number;
  /** Keep whole key names. They can hold ids and tokens. */
  readonly showKeys: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly openSession: (endpoint: Endpoint) => Promise<Session>;
  /** What only the server's own machine can say; see `readHost`. */
  readonly readHost?: (info: Info) => Promise<HostFacts | undefined>;
}

/** Above this, CLIENT LIST is not asked for: it costs the server about a microsecond a client. */
const MOST_CLIENTS = 5000;
const LATENESS_RESOLUTION_MS = 5;
/** PINGs are spread over the time that is watched. */
const PINGS = 40;

/**
 * Reads what the rules need. It only reads, and asks for what the user may not run once only: INFO twice, SLOWLOG,
 * LATENCY, CLIENT LIST, a paced sample of keys, and PING.
 */
export async function gatherEvidence(endpoint: Endpoint, options: GatherOptions): Promise<Evidence> {
  const session = await options.openSession(endpoint);
  const unknown: Unknown[] = [];
  let asked = 0;
  const ask: Ask = (...args) => {
    asked += 1;
    return session.ask(...args);
  };
  const optional = async <T>(what: string, read: () => Promise<T>, without: T): Promise<T> => {
    try {
      return await read();
    } catch (error) {
      unknown.push({ what, reason: reasonOf(error) });
      return without;
    }
  };
  try {
    const before = await readInfo(ask);
    const started = performance.now();
    const slow = await optional('the slow log', () => readSlowLog(ask, options.showKeys), []);
    const latency = await optional('the latency monitor', () => readLatency(ask), []);
    const clients = await optional('the list of clients', () => readClients(ask, before), []);
    const pings: number[] = [];
    const lateness = monitorEventLoopDelay({ resolution: LATENESS_RESOLUTION_MS });
    lateness.enable();
    const watching = watch(ask, options, started, pings);
    const keys = await optional<KeySample | undefined>(
      'keys',
      () => (options.keys > 0 ? sampleKeys(ask, options) : Promise.resolve(undefined)),
      undefined,
    );
    await watching;
    lateness.disable();
    const after = await readInfo(ask);
    const host = await options.readHost?.(after);
    const certificateExpires = endpoint.tls ? await servedUntil(endpoint) : undefined;
    const seconds = (performance.now() - started) / 1000;
    const commands = commandUse(before, after);
    return {
      address: `${endpoint.host}:${endpoint.port}`,
      engine: after['valkey_version'] ? 'valkey' : after['dragonfly_version'] ? 'dragonfly' : 'redis',
      version: after['valkey_version'] ?? after['dragonfly_version'] ?? after['redis_version'] ?? 'unknown',
      role: after['role'] ?? 'unknown',
      seconds,
      before,
      after,
      commands,
      pings: pings.sort((a, b) => a - b),
      ownDelay: Math.max(0, lateness.percentile(95) / 1000 - LATENESS_RESOLUTION_MS * 1000),
      slow,
      latency,
      clients,
      ...(keys && { keys }),
      ...(host && { host }),
      ...(certificateExpires && { certificateExpires }),
      now: options.now(),
      unknown,
      cost: { commands: asked, usec: ownCost(commands, asked) },
    };
  } finally {
    await session.close();
  }
}

/** Sends PINGs at even distances until the time is over. */
async function watch(ask: Ask, options: GatherOptions, started: number, pings: number[]): Promise<void> {
  const end = started + options.seconds * 1000;
  const pause = Math.max(10, (options.seconds * 1000) / PINGS);
  while (performance.now() < end && !options.signal.aborted) {
    const sent = performance.now();
    await ask('PING');
    pings.push((performance.now() - sent) * 1000);
    await delay(Math.max(0, Math.min(pause, end - performance.now())), undefined, { signal: options.signal }).catch(
      () => undefined,
    );
  }
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const said = error instanceof Error && 'serverMessage' in error ? String(error.serverMessage) : text;
  return /^NOPERM/.test(said) ? 'this user may not run the command' : text;
}

/** `cmdstat_*` of two readings as what happened between them. */
export function commandUse(before: Info, after: Info): CommandUse[] {
  const uses: CommandUse[] = [];
  for (const [field, text] of Object.entries(after)) {
    if (!field.startsWith('cmdstat_')) continue;
    const now = numbersOf(text);
    const then = numbersOf(before[field] ?? '');
    const reset = (now['calls'] ?? 0) < (then['calls'] ?? 0);
    const grown = (name: string): number => (now[name] ?? 0) - (reset ? 0 : (then[name] ?? 0));
    uses.push({
      name: field.slice('cmdstat_'.length).toLowerCase(),
      calls: grown('calls'),
      usec: grown('usec'),
      rejected: grown('rejected_calls'),
      failed: grown('failed_calls'),
    });
  }
  return uses.filter(({ calls, rejected }) => calls > 0 || rejected > 0).sort((a, b) => b.usec - a.usec);
}

function numbersOf(text: string): Record<string, number> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const [name = '', value = ''] = pair.split('=');
      return [name, Number(value)];
    }),
  );
}

/** Commands that nobody but the doctor runs in bulk; the rest of its work is counted by its number of commands. */
function ownCost(commands: readonly CommandUse[], asked: number): number {
  const perPing = commands.find(({ name }) => name === 'ping');
  const own = ['scan', 'memory|usage', 'object|idletime', 'object|freq', 'type', 'pttl', 'client|list', 'info'];
  const usec = commands.filter(({ name }) => own.includes(name)).reduce((sum, { usec }) => sum + usec, 0);
  return Math.round(usec + (perPing ? (perPing.usec / Math.max(1, perPing.calls)) * Math.min(asked, PINGS) : 0));
}

async function readSlowLog(ask: Ask, showKeys: boolean): Promise<SlowEntry[]> {
  const reply = await ask('SLOWLOG', 'GET', '128');
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((entry): SlowEntry[] => {
    if (!Array.isArray(entry)) return [];
    const args = Array.isArray(entry[3]) ? entry[3].map(String) : [];
    const key = args[1];
    return [
      {
        command: (args[0] ?? '').toLowerCase(),
        usec: Number(entry[2]),
        at: Number(entry[1]),
        arguments: args.length,
        ...(key !== undefined && { keyPattern: showKeys ? key : keyPattern(key) }),
      },
    ];
  });
}

async function readLatency(ask: Ask): Promise<LatencyEvent[]> {
  const reply = await ask('LATENCY', 'LATEST');
  if (!Array.isArray(reply)) return [];
  return reply.flatMap((entry) =>
    Array.isArray(entry) ? [{ event: String(entry[0]), latestMs: Number(entry[2]), maxMs: Number(entry[3]) }] : [],
  );
}

async function readClients(ask: Ask, info: Info): Promise<ClientRow[]> {
  const connected = Number(info['connected_clients'] ?? 0);
  if (connected > MOST_CLIENTS)
    throw new Error(`${connected} are connected, and listing more than ${MOST_CLIENTS} costs too much`);
  return clientList(await ask('CLIENT', 'LIST')).map((fields) => {
    const number = (name: string): number => Number(fields[name] ?? 0) || 0;
    return {
      address: fields['addr'] ?? '',
      name: fields['name'] ?? '',
      user: fields['user'] ?? '',
      library: [fields['lib-name'], fields['lib-ver']].filter(Boolean).join(' '),
      flags: fields['flags'] ?? '',
      ageSeconds: number('age'),
      idleSeconds: number('idle'),
      outputBytes: number('omem'),
      outputBlocks: number('oll'),
      queryBytes: number('qbuf'),
      lastCommand: fields['cmd'] ?? '',
    };
  });
}

async function servedUntil(endpoint: Endpoint): Promise<Date | undefined> {
  const socket = await openTls(endpoint, {
    ...(endpoint.cert !== undefined && { cert: endpoint.cert }),
    ...(endpoint.key !== undefined && { key: endpoint.key }),
  }).catch(() => undefined);
  if (!socket) return undefined;
  const { valid_to } = socket.getPeerCertificate();
  socket.destroy();
  return valid_to ? new Date(valid_to) : undefined;
}
