import { ErrorReply } from 'redkeep';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import type { Session } from '../../audit/gather/node.js';
import { openSession } from '../../audit/gather/session.js';
import { numberOf, parseInfo } from '../info.js';
import type { NodeSnapshot, ServedCertificate, WatchedNode } from '../snapshot.js';
import { readAclLog, readClients, readLatency, readModules } from './replies.js';
import { readSentinelViews } from './sentinel-views.js';
import { servedCertificate } from './served-certificate.js';

/** CLIENT LIST costs the server about 1 µs a client: at most every 30 s, and rarer where it would take more than that. */
const clientListMs = 30_000;
const clientListMicrosecondsPerSecond = 20;
/** A handshake costs the server about 1 ms; certificates do not change from one round to the next. */
const handshakeMs = 30_000;

/** What a server is asked at most this often; tests and small servers may ask more often. */
export interface Intervals {
  readonly clientListMs: number;
  readonly handshakeMs: number;
}

export const defaultIntervals: Intervals = { clientListMs, handshakeMs };

/** Gives the endpoint with the credentials of now: files are read again, because they rotate. */
export type ReadEndpoint = () => Promise<Endpoint>;

/**
 * Asks one server round after round over one connection. A command that the server refuses once is not sent again,
 * and the refusal is counted, so that it can be told from those of others.
 */
export class NodeGatherer {
  readonly node: WatchedNode;
  readonly #readEndpoint: ReadEndpoint;
  readonly #intervals: Intervals;
  #session: Session | undefined;
  #user: string | undefined;
  #runId: string | undefined;
  #refusals = new Map<string, number>();
  #refused = new Set<string>();
  #clientsAt = Number.NEGATIVE_INFINITY;
  #handshakeAt = Number.NEGATIVE_INFINITY;
  #certificate: ServedCertificate | undefined;

  constructor(node: WatchedNode, readEndpoint: ReadEndpoint, intervals = defaultIntervals) {
    this.node = node;
    this.#readEndpoint = readEndpoint;
    this.#intervals = intervals;
  }

  /** One round. Never rejects: a server that cannot be asked is down, with the reason's code. */
  async gather(now: number): Promise<NodeSnapshot> {
    const started = performance.now();
    const base = { node: this.node, at: now };
    const rest = () => ({
      durationMs: performance.now() - started,
      ownRefusals: new Map(this.#refusals),
      ownUser: this.#user,
      ...(this.#certificate && { certificate: this.#certificate }),
    });
    let endpoint: Endpoint | undefined;
    try {
      endpoint = await this.#readEndpoint();
      await this.#look(endpoint, now);
      const parts = await this.#ask(endpoint, now);
      return { ...base, ...parts, up: true, ...rest() };
    } catch (error) {
      await this.close();
      // Who is there instead is what an operator needs to know first.
      if (endpoint) await this.#look(endpoint, Number.POSITIVE_INFINITY);
      return { ...base, up: false, problem: codeOf(error), ...rest() };
    }
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.close();
  }

  async #look(endpoint: Endpoint, now: number): Promise<void> {
    if (!endpoint.tls || now - this.#handshakeAt < this.#intervals.handshakeMs) return;
    this.#certificate = await servedCertificate(endpoint).catch(() => undefined);
    this.#handshakeAt = Number.isFinite(now) ? now : Number.NEGATIVE_INFINITY;
  }

  async #ask(endpoint: Endpoint, now: number): Promise<Partial<NodeSnapshot>> {
    this.#session ??= await openSession(endpoint, 'redkeep-monitor');
    this.#user = endpoint.username;
    const sentinel = this.node.role === 'sentinel';
    const info = parseInfo(String(await this.#tell('INFO', 'everything')) || String(await this.#tell('INFO')));
    const runId = info.fields.get('run_id');
    if (runId !== this.#runId) {
      // A new process has new counters and may have other rules.
      this.#runId = runId;
      this.#refusals = new Map();
      this.#refused = new Set();
    }
    const clientsDue = now - this.#clientsAt >= this.#clientListEvery(numberOf(info, 'connected_clients') ?? 0);
    const [aclLog, clients, modules, slowlog, latency, cluster, watched] = await Promise.all([
      this.#tell('ACL', 'LOG', '128'),
      clientsDue ? this.#tell('CLIENT', 'LIST') : undefined,
      sentinel ? undefined : this.#tell('MODULE', 'LIST'),
      sentinel ? undefined : this.#tell('SLOWLOG', 'LEN'),
      sentinel ? undefined : this.#tell('LATENCY', 'LATEST'),
      info.fields.get('cluster_enabled') === '1' ? this.#tell('CLUSTER', 'INFO') : undefined,
      sentinel ? readSentinelViews((...args) => this.#tell(...args)) : undefined,
    ]);
    if (clients !== undefined) this.#clientsAt = now;
    return {
      info,
      ...(aclLog !== undefined && { aclLog: readAclLog(aclLog) }),
      ...(clients !== undefined && { clients: readClients(clients) }),
      ...(modules !== undefined && { modules: readModules(modules) }),
      ...(slowlog !== undefined && { slowlogLength: Number(slowlog) }),
      ...(latency !== undefined && { latency: readLatency(latency) }),
      ...(watched && { sentinel: watched }),
      ...(cluster !== undefined && { clusterInfo: parseInfo(String(cluster)) }),
    };
  }

  #clientListEvery(connected: number): number {
    return Math.max(this.#intervals.clientListMs, (connected / clientListMicrosecondsPerSecond) * 1000);
  }

  /** The reply, or undefined where this server does not let the monitor ask. */
  async #tell(...args: readonly string[]): Promise<unknown> {
    const name = args
      .slice(0, args[0] === 'INFO' ? 1 : 2)
      .join('|')
      .toLowerCase();
    if (this.#refused.has(name)) return undefined;
    try {
      return await this.#session!.ask(...args);
    } catch (error) {
      // A lost connection is another matter than an answer that says no.
      if (!(error instanceof ErrorReply) || name === 'info') throw error;
      if (error.prefix === 'NOPERM') this.#refusals.set(name, (this.#refusals.get(name) ?? 0) + 1);
      // ERR: this server does not have it. LOADING, MASTERDOWN, BUSY and their like pass.
      if (error.prefix === 'NOPERM' || error.prefix === 'ERR') this.#refused.add(name);
      return undefined;
    }
  }
}

/** A stable code, never the text: it may hold what somebody sent. */
function codeOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return (
    [code, name].find((value): value is string => typeof value === 'string' && /^\w{1,64}$/.test(value)) ?? 'ERROR'
  );
}
