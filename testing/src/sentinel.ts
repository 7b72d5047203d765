import { type Server, type ServerOptions, startSentinelServer, startServer } from './server.js';
import { renderLines, type ServerTls } from './server-config.js';
import { waitFor } from './wait-for.js';

export interface SentinelOptions extends Pick<ServerOptions, 'engine' | 'tls' | 'config'> {
  /** Default 1. */
  readonly replicas?: number;
  /** Default 3. */
  readonly sentinels?: number;
  /** How many sentinels have to agree. Default: a majority. */
  readonly quorum?: number;
  /** The name that clients ask for. Default `primary`. */
  readonly name?: string;
  /** Password of the servers. */
  readonly password?: string;
  /** Password of the sentinels themselves. */
  readonly sentinelPassword?: string;
}

/** A primary, its replicas and the sentinels that watch them. */
export class SentinelSetup {
  readonly name: string;
  /** The server that was the primary at the start. */
  readonly primary: Server;
  readonly replicas: readonly Server[];
  readonly sentinels: readonly Server[];

  constructor(name: string, primary: Server, replicas: readonly Server[], sentinels: readonly Server[]) {
    this.name = name;
    this.primary = primary;
    this.replicas = replicas;
    this.sentinels = sentinels;
  }

  get servers(): readonly Server[] {
    return [this.primary, ...this.replicas];
  }

  /** The primary as the first sentinel that is up knows it. */
  async currentPrimary(): Promise<Server> {
    const sentinel = this.sentinels.find((candidate) => candidate.isUp);
    const address = (await sentinel?.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', this.name)) as string[];
    const server = this.servers.find((candidate) => String(candidate.tlsPort || candidate.port) === address[1]);
    if (!server) throw new Error(`The sentinels name a server that is not ours: ${address.join(':')}`);
    return server;
  }

  /** Waits until every sentinel names the same primary, other than `previous`, and it takes writes. */
  async failedOver(previous: Server): Promise<Server> {
    return waitFor(
      async () => {
        const primary = await this.currentPrimary();
        if (primary === previous) return undefined;
        const role = (await primary.info('replication'))['role'];
        return role === 'master' ? primary : undefined;
      },
      { timeout: 60_000, message: 'a failover' },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.sentinels, ...this.servers].map((server) => server[Symbol.asyncDispose]()));
  }
}

/**
 * Starts a primary with replicas and sentinels, and waits until every sentinel knows all of them.
 *
 * @example await using setup = await startSentinel({ replicas: 1, sentinels: 3, tls: true });
 */
export async function startSentinel(options: SentinelOptions = {}): Promise<SentinelSetup> {
  const { replicas = 1, sentinels = 3, name = 'primary', quorum = Math.floor(sentinels / 2) + 1 } = options;
  const { engine, tls, config, password, sentinelPassword } = options;
  const serverOptions: ServerOptions = { engine, tls, config, password };
  const started: Server[] = [];
  const keep = async (server: Promise<Server>) => {
    const running = await server;
    started.push(running);
    return running;
  };
  try {
    // The primary needs the password too: it is a replica after a failover.
    const primary = await keep(startServer({ ...serverOptions, config: withMasterAuth(options) }));
    const followers: Server[] = [];
    for (let index = 0; index < replicas; index++) {
      followers.push(await keep(startServer({ ...serverOptions, replicaOf: primary })));
    }
    const watchers: Server[] = [];
    const watcherOptions = { engine, tls, password: sentinelPassword };
    for (let index = 0; index < sentinels; index++) {
      const lines = sentinelLines({ name, primary, quorum, password, sentinelPassword, tls });
      watchers.push(await keep(startSentinelServer(watcherOptions, lines)));
    }
    for (const watcher of watchers) await knowsEveryone(watcher, name, replicas, sentinels);
    return new SentinelSetup(name, primary, followers, watchers);
  } catch (error) {
    await Promise.all(started.map((server) => server[Symbol.asyncDispose]()));
    throw error;
  }
}

function withMasterAuth({ tls, password, config }: SentinelOptions): string[] {
  return [
    ...(tls ? ['tls-replication yes'] : []),
    ...(password === undefined ? [] : [`masterauth "${password}"`]),
    ...renderLines(config),
  ];
}

function sentinelLines(options: {
  name: string;
  primary: Server;
  quorum: number;
  password: string | undefined;
  sentinelPassword: string | undefined;
  tls: boolean | ServerTls | undefined;
}): string[] {
  const { name, primary, quorum, password, sentinelPassword, tls } = options;
  return [
    ...(tls ? ['tls-replication yes'] : []),
    `sentinel monitor ${name} ${primary.host} ${primary.tlsPort || primary.port} ${quorum}`,
    // Short enough for a test that kills the primary to wait for, long enough for a busy machine.
    `sentinel down-after-milliseconds ${name} 1500`,
    `sentinel failover-timeout ${name} 5000`,
    ...(password === undefined ? [] : [`sentinel auth-pass ${name} ${password}`]),
    ...(sentinelPassword === undefined ? [] : [`sentinel sentinel-pass ${sentinelPassword}`]),
  ];
}

async function knowsEveryone(watcher: Server, name: string, replicas: number, sentinels: number): Promise<void> {
  await waitFor(
    async () => {
      const reply = (await watcher.command('SENTINEL', 'MASTER', name)) as string[];
      const field = (wanted: string) => Number(reply[reply.indexOf(wanted) + 1]);
      return field('num-slaves') === replicas && field('num-other-sentinels') === sentinels - 1;
    },
    { timeout: 60_000, interval: 50, message: `a sentinel on ${watcher.url} to know everyone` },
  );
}
