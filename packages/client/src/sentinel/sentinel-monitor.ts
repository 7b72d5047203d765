/**
 * What the sentinels say: every known sentinel is asked, and the answer with the highest configuration epoch counts,
 * so that one that was cut off from the others leads nobody to an old master.
 */
import { RedisClient } from '../client/client.js';
import { addressOf, type NodeAddress } from '../cluster/topology.js';
import { ProtocolError, RedkeepError, RootNodesUnavailableError } from '../errors.js';
import type { ResolvedSentinelOptions } from './sentinel-options.js';

export interface SentinelTopology {
  readonly master: NodeAddress;
  /** Those that are up. */
  readonly replicas: readonly NodeAddress[];
  readonly sentinels: readonly NodeAddress[];
  /** The sentinel whose answer this is. */
  readonly source: NodeAddress;
}

interface Answer extends SentinelTopology {
  readonly epoch: number;
}

interface Sentinel {
  readonly address: NodeAddress;
  readonly client: RedisClient;
  /** The last attempt to connect failed. */
  isDown: boolean;
}

/** The most sentinels and replicas of an answer that are used, because each is connected to. */
const MAX_NODES = 128;
/** Milliseconds that one sentinel may take. */
const PATIENCE = 2000;

export class SentinelMonitor {
  readonly #options: ResolvedSentinelOptions;
  readonly #onChange: () => void;
  readonly #onError: (error: Error, sentinel: NodeAddress) => void;
  readonly #clients = new Map<string, Sentinel>();
  #observing: Promise<SentinelTopology> | undefined;
  /** Looks whether the present observation has answers enough. */
  #decide: () => void = () => {};
  #stopped = false;

  /** `onChange`: a sentinel announced that something is different; ask {@link observe}. */
  constructor(
    options: ResolvedSentinelOptions,
    onChange: () => void,
    onError: (error: Error, sentinel: NodeAddress) => void,
  ) {
    this.#options = options;
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /** Asks all sentinels; calls at the same time share the answer. */
  observe(): Promise<SentinelTopology> {
    this.#observing ??= this.#observe().finally(() => {
      this.#observing = undefined;
    });
    return this.#observing;
  }

  /**
   * Answered when more than half of the sentinels have answered, or all that could be reached: one that is down does not
   * hold up the others. Sentinels that an answer names are asked too.
   */
  async #observe(): Promise<SentinelTopology> {
    for (const seed of this.#options.seeds) this.#know(seed);
    return new Promise((resolve, reject) => {
      const answers = new Map<Sentinel, Answer>();
      const failures = new Map<Sentinel, unknown>();
      const asked = new Set<Sentinel>();
      let best: Answer | undefined;
      const askAll = () => {
        for (const sentinel of this.#clients.values()) {
          if (asked.has(sentinel)) continue;
          asked.add(sentinel);
          this.#ask(sentinel).then(
            (answer) => {
              answers.set(sentinel, answer);
              // One that answers later may know of a newer primary.
              if (best !== undefined && answer.epoch > best.epoch) this.#onChange();
              if (best !== undefined) return;
              for (const named of answer.sentinels) this.#know(named);
              askAll();
              this.#decide();
            },
            (error: unknown) => {
              failures.set(sentinel, error);
              this.#decide();
            },
          );
        }
      };
      this.#decide = () => {
        if (best !== undefined) return;
        const open = [...asked].filter((one) => !answers.has(one) && !failures.has(one));
        if (answers.size === 0 ? open.length > 0 : answers.size * 2 <= asked.size && open.some((one) => !one.isDown))
          return;
        best = [...answers.values()].sort((a, b) => b.epoch - a.epoch)[0];
        if (best === undefined) {
          reject(new RootNodesUnavailableError(failures.values().next().value));
          return;
        }
        this.#forgetLost(best);
        resolve(best);
      };
      askAll();
      this.#decide();
    });
  }

  #know(address: NodeAddress): void {
    const key = addressOf(address);
    if (this.#clients.has(key) || this.#stopped) return;
    let client: RedisClient;
    try {
      client = new RedisClient(this.#options.sentinel(this.#options.follow(address)));
    } catch (error) {
      this.#onError(error as Error, address);
      return;
    }
    const sentinel: Sentinel = { address, client, isDown: false };
    let wasReady = false;
    client.on('ready', () => {
      wasReady = true;
      sentinel.isDown = false;
    });
    client.on('error', (error: Error) => {
      this.#onError(error, address);
      sentinel.isDown = true;
      this.#decide();
      // A sentinel that is lost is news; that it stays away is not.
      if (wasReady && !this.#stopped) this.#onChange();
      wasReady = false;
    });
    client.on('end', () => {
      if (this.#clients.get(key)?.client === client) this.#clients.delete(key);
    });
    this.#clients.set(key, sentinel);
    client
      .connect()
      .then(
        () =>
          client.pSubscribe(['+switch-master', '[-+]sdown', '+slave', '+sentinel', '+reboot'], () => this.#onChange()),
        () => {}, // told by 'error', and to those who ask
      )
      .catch((error: Error) => this.#onError(error, address));
  }

  /** A sentinel that nobody names any more and that does not answer is gone. Seeds stay: they may come back. */
  #forgetLost(best: Answer): void {
    const named = new Set([...best.sentinels, best.source, ...this.#options.seeds].map(addressOf));
    for (const [key, { client }] of this.#clients) {
      if (named.has(key) || client.isReady) continue;
      this.#clients.delete(key);
      if (client.isOpen) client.destroy();
    }
  }

  async #ask({ address, client }: Sentinel): Promise<Answer> {
    const { name } = this.#options;
    const ask = (what: string) => client.sendCommand(['SENTINEL', what, name], { timeout: PATIENCE });
    const [masterReply, current, replicasReply, sentinelsReply] = await Promise.all([
      ask('MASTER'),
      // During a failover it names the new one as soon as that is promoted, and the other only when all follow it.
      ask('GET-MASTER-ADDR-BY-NAME').catch(() => undefined),
      ask('REPLICAS'),
      ask('SENTINELS'),
    ]);
    const master = fields(masterReply);
    const nodes = (reply: unknown) => {
      if (!Array.isArray(reply) || reply.length > MAX_NODES)
        throw new ProtocolError('An answer that no sentinel gives');
      return reply.map(fields);
    };
    const isUp = (node: Record<string, string>) => !/s_down|o_down|disconnected/.test(node.flags ?? '');
    if (!master.ip || !isPort(master.port))
      throw new RedkeepError('REDKEEP_NO_NODE', `A sentinel knows no master named ${name}`);
    return {
      epoch: Number(master['config-epoch']) || 0,
      source: address,
      master: toAddress(named(current) ?? master),
      replicas: nodes(replicasReply).filter(isUp).filter(hasAddress).map(toAddress),
      sentinels: [address, ...nodes(sentinelsReply).filter(hasAddress).map(toAddress)],
    };
  }

  destroy(): void {
    this.#stopped = true;
    for (const { client } of this.#clients.values()) if (client.isOpen) client.destroy();
    this.#clients.clear();
  }
}

const isPort = (text: string | undefined) => /^\d{1,5}$/.test(text ?? '') && Number(text) > 0 && Number(text) < 65_536;
const hasAddress = (node: Record<string, string>) => Boolean(node.ip) && isPort(node.port);

function toAddress(node: Record<string, string>): NodeAddress {
  return { host: node.ip ?? '', port: Number(node.port) };
}

function named(reply: unknown): Record<string, string> | undefined {
  if (!Array.isArray(reply) || reply.length !== 2) return undefined;
  const node = { ip: String(reply[0]), port: String(reply[1]) };
  return hasAddress(node) ? node : undefined;
}

/** A map in RESP3, `[name, value, …]` in RESP2. */
function fields(reply: unknown): Record<string, string> {
  const result: Record<string, string> = Object.create(null);
  if (Array.isArray(reply)) for (let i = 0; i < reply.length; i += 2) result[String(reply[i])] = String(reply[i + 1]);
  else if (typeof reply === 'object' && reply !== null)
    for (const [name, value] of Object.entries(reply)) result[name] = String(value);
  return result;
}
