import { randomBytes } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { createClient, ErrorReply, type RedisClient, TimeoutError } from 'redkeep';
import { type Endpoint, firstLine, isResp, openTcp, openTls } from '../audit/gather/endpoint.js';
import { clientOptionsOf } from '../audit/gather/session.js';
import { quantile } from './evidence.js';
import { microseconds } from './finding.js';

/** The steps of a connection, in their order. Each needs the one before it. */
export const stageNames = [
  'configuration',
  'name',
  'network',
  'tls',
  'login',
  'permission',
  'round trip',
  'latency',
  'clean-up',
] as const;
export type StageName = (typeof stageNames)[number];

export interface Stage {
  readonly name: StageName;
  /** `skipped`: an earlier step failed, or the address does not ask for it. */
  readonly outcome: 'ok' | 'failed' | 'warning' | 'skipped';
  readonly detail: string;
  /** What to do, where it is not ok. */
  readonly hint?: string;
}

export interface ConnectionTestOptions {
  /** A key of the test's own is this and a random name; default `redkeep:doctor:`. */
  readonly keyPrefix: string;
  /** What the settings themselves already showed; see `readEnvironment`. */
  readonly settings?: readonly Stage[];
  /** The database that the application selects; default 0, which needs no command. */
  readonly database?: number;
  /** One of several nodes that belong together: being a replica, or not having the slot of the key, is not a fault then. */
  readonly oneOfSeveral?: boolean;
}

type Outcome = Omit<Stage, 'name'>;

/** Ends the test: later steps are skipped. */
class StageFailed extends Error {
  override readonly name = 'StageFailed';
  readonly stage: StageName;
  readonly hint: string;
  constructor(stage: StageName, message: string, hint: string) {
    super(message);
    this.stage = stage;
    this.hint = hint;
  }
}

/**
 * Connects as an application does, step by step, and says which step fails and why: configuration, name, network, TLS,
 * login, permission, a SET and GET of one key of its own with an expiry of 60 s, latency, and the key's removal.
 */
export async function testConnection(endpoint: Endpoint, options: ConnectionTestOptions): Promise<Stage[]> {
  const stages: Stage[] = [...(options.settings ?? [])];
  const pass = (name: StageName, outcome: Outcome): void => {
    stages.push({ name, ...outcome });
  };
  let client: RedisClient | undefined;
  try {
    const broken = stages.find(({ outcome }) => outcome === 'failed');
    if (broken) throw new StageFailed(broken.name, '', '');
    if (stages.length === 0) pass('configuration', { outcome: 'ok', detail: describe(endpoint) });
    pass('name', await testName(endpoint));
    pass('network', await testNetwork(endpoint));
    client = clientOf(endpoint);
    await connect(client, endpoint, pass);
    await testDatabase(client, options.database ?? 0);
    const key = `${options.keyPrefix}${randomBytes(8).toString('hex')}`;
    try {
      await testPermission(client, key, pass, options.oneOfSeveral === true);
      pass('latency', await testLatency(client));
    } finally {
      await cleanUp(client, key, pass);
    }
  } catch (error) {
    if (!(error instanceof StageFailed)) throw error;
    if (error.message !== '') pass(error.stage, { outcome: 'failed', detail: error.message, hint: error.hint });
  } finally {
    if (client?.isOpen) client.destroy();
  }
  const seen = new Set(stages.map(({ name }) => name));
  const rest = stageNames.filter((name) => !seen.has(name));
  return [
    ...stages,
    ...rest.map((name): Stage => ({ name, outcome: 'skipped', detail: 'an earlier step failed' })),
  ].sort((a, b) => stageNames.indexOf(a.name) - stageNames.indexOf(b.name));
}

function describe({ host, port, tls, username, password, cert }: Endpoint): string {
  const login = password === undefined ? 'no password' : `user ${username ?? 'default'} with a password`;
  return `${host}:${port}, ${tls ? 'TLS' : 'plaintext'}, ${login}${cert === undefined ? '' : ', client certificate'}`;
}

async function testName({ host }: Endpoint): Promise<Outcome> {
  if (isIP(host)) return { outcome: 'ok', detail: `${host} is an address` };
  try {
    const found = await lookup(host, { all: true });
    return { outcome: 'ok', detail: `${host} is ${found.map(({ address }) => address).join(', ')}` };
  } catch (error) {
    const code = codeOf(error);
    throw new StageFailed(
      'name',
      `${host} cannot be resolved (${code})`,
      code === 'EAI_AGAIN'
        ? 'The name server does not answer: check the network and /etc/resolv.conf.'
        : 'Check the spelling; names of Compose services and Kubernetes services only exist inside their network.',
    );
  }
}

async function testNetwork(endpoint: Endpoint): Promise<Outcome> {
  const { host, port } = endpoint;
  const started = performance.now();
  try {
    const socket = await openTcp(endpoint);
    const peer = socket.remoteAddress ?? host;
    socket.destroy();
    return {
      outcome: 'ok',
      detail: `${peer}:${port} accepts connections (${microseconds((performance.now() - started) * 1000)})`,
    };
  } catch (error) {
    const code = codeOf(error);
    const hints: Readonly<Record<string, string>> = {
      ECONNREFUSED: `Nothing listens on ${host}:${port}: is the server up, on this port, and bound to this address?`,
      EHOSTUNREACH: 'There is no way to that host: check address and routes.',
      ENETUNREACH: 'There is no way to that network: check address and routes.',
      ECONNRESET: 'Something on the way ended the connection: check firewalls and proxies.',
    };
    throw new StageFailed(
      'network',
      `${host}:${port}: ${code === 'unknown' ? messageOf(error) : code}`,
      hints[code] ?? 'Nothing answers: a firewall or a security group usually drops packets in silence like this.',
    );
  }
}

function clientOf(endpoint: Endpoint): RedisClient {
  const client = createClient({
    ...clientOptionsOf(endpoint),
    name: 'redkeep-doctor',
    commandOptions: { timeout: endpoint.timeoutMs },
  });
  client.on('error', () => undefined);
  return client;
}

/** Errors of `connect()` that belong to TLS; all others belong to the login. */
const ofTls = /^REDKEEP_(CERTIFICATE|TLS|SERVER_PLAINTEXT)/;

async function connect(
  client: RedisClient,
  endpoint: Endpoint,
  pass: (name: StageName, outcome: Outcome) => void,
): Promise<void> {
  const tlsDone: Outcome = endpoint.tls
    ? { outcome: 'ok', detail: 'the certificate is valid for this name and signed by the given CA' }
    : {
        outcome: 'warning',
        detail: 'plaintext: everybody on the way can read passwords and data',
        hint: 'Use rediss:// (TLS).',
      };
  try {
    await client.connect();
  } catch (error) {
    const code = codeOf(error);
    const hint = error instanceof Error && 'hint' in error ? String(error.hint) : '';
    if (ofTls.test(code)) throw new StageFailed('tls', `${messageOf(error)}`, hint);
    if (!endpoint.tls && !(error instanceof ErrorReply) && (await speaksTls(endpoint)))
      throw new StageFailed(
        'tls',
        'the server expects TLS on this port, and the address says plaintext',
        'Use rediss:// instead of redis://, and give the CA (REDIS_TLS_CA_FILE).',
      );
    if (endpoint.tls && (await speaksPlaintext(endpoint)))
      throw new StageFailed(
        'tls',
        'the server speaks plaintext on this port, and the address says TLS',
        "Use the server's TLS port (tls-port), or turn TLS on there: redkeep migrate.",
      );
    pass('tls', tlsDone);
    throw new StageFailed('login', refusalText(error), loginHint(error) ?? hint);
  }
  pass('tls', tlsDone);
  const who = await client.sendCommand(['ACL', 'WHOAMI']).then(String, () => endpoint.username ?? 'default');
  pass('login', {
    outcome: endpoint.password === undefined && endpoint.cert === undefined ? 'warning' : 'ok',
    detail: `logged in as ${who}${endpoint.password === undefined ? ' without a password' : ''}`,
    ...(endpoint.password === undefined && {
      hint: 'The server lets anybody in: redkeep audit shows what that means, redkeep migrate closes it.',
    }),
  });
}

function refusalText(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? ` [${String(error.code)}]` : '';
  return `${messageOf(error)}${code}`;
}

function loginHint(error: unknown): string | undefined {
  const said = serverText(error);
  if (/^NOAUTH/.test(said))
    return 'The server wants a password: set REDIS_USERNAME and REDIS_PASSWORD (or REDIS_PASSWORD_FILE).';
  if (/^WRONGPASS/.test(said))
    return 'User or password is wrong, or the user is disabled: compare with ACL LIST; look for a line end or quotes in the password.';
  if (/^DENIED/.test(said))
    return 'Protected mode refuses other machines: the server needs a password and a bind address.';
  if (/max number of clients/.test(said)) return 'All connections are in use: close idle ones or raise maxclients.';
  if (/^LOADING/.test(said)) return 'The server is loading its data: wait.';
  return undefined;
}

async function speaksTls(endpoint: Endpoint): Promise<boolean> {
  const socket = await openTls(endpoint).catch(() => undefined);
  socket?.destroy();
  return socket !== undefined;
}

async function speaksPlaintext(endpoint: Endpoint): Promise<boolean> {
  const socket = await openTcp(endpoint).catch(() => undefined);
  return socket !== undefined && isResp(await firstLine(socket, 'PING\r\n', Math.min(1000, endpoint.timeoutMs)));
}

async function testPermission(
  client: RedisClient,
  key: string,
  pass: (name: StageName, outcome: Outcome) => void,
  oneOfSeveral: boolean,
): Promise<void> {
  const value = randomBytes(16).toString('hex');
  const run = async (args: readonly string[]): Promise<unknown> => {
    try {
      return await client.sendCommand([...args]);
    } catch (error) {
      if (oneOfSeveral && /^(READONLY|MOVED)/.test(serverText(error))) return undefined;
      if (error instanceof TimeoutError && (await answersReads(client)))
        throw new StageFailed(
          'permission',
          `${args[0]}: not answered, while PING is`,
          'Writes are paused (CLIENT PAUSE, or a failover that an operator has begun): CLIENT UNPAUSE ends it.',
        );
      throw new StageFailed('permission', `${args[0]}: ${describeRefusal(error, key)}`, permissionHint(error, key));
    }
  };
  if ((await run(['SET', key, value, 'PX', '60000'])) === undefined) {
    pass('permission', { outcome: 'ok', detail: 'SET is allowed; this node passes writes of this key to another' });
    pass('round trip', { outcome: 'skipped', detail: 'the key belongs to another node' });
    return;
  }
  const read = await run(['GET', key]);
  pass('permission', { outcome: 'ok', detail: 'SET and GET are allowed' });
  if (String(read) !== value)
    throw new StageFailed(
      'round trip',
      read === null ? 'the key was written and is gone' : 'another value came back than was written',
      'Something between here and the server changes data, or the server evicts keys at once (maxmemory).',
    );
  pass('round trip', { outcome: 'ok', detail: 'the value written came back' });
}

async function answersReads(client: RedisClient): Promise<boolean> {
  // The connection of the write that waits is stuck behind it.
  const other = client.duplicate();
  other.on('error', () => undefined);
  try {
    await other.connect();
    return (await other.sendCommand(['PING'])) === 'PONG';
  } catch {
    return false;
  } finally {
    if (other.isOpen) other.destroy();
  }
}

function describeRefusal(error: unknown, key: string): string {
  const said = serverText(error);
  return said === '' ? messageOf(error) : said.replaceAll(key, 'the test key');
}

function permissionHint(error: unknown, key: string): string {
  const said = serverText(error);
  if (/^NOPERM.*(key|channel)/i.test(said))
    return `This user may not use keys like ${key.replace(/[0-9a-f]{16}$/, '*')}: give a prefix it has, --key-prefix app:`;
  if (/^NOPERM/.test(said)) return 'Grant the command to the user, or test with the user of the application.';
  if (/^READONLY/.test(said))
    return 'This is a replica: connect to the primary (Sentinel or Cluster addresses find it).';
  if (/^BUSY /.test(said))
    return 'A script or function has run for longer than busy-reply-threshold: SCRIPT KILL or FUNCTION KILL ends it, if it has not written.';
  if (/^LOADING/.test(said)) return 'The server loads its data: wait, or look at loading_eta_seconds in INFO.';
  if (/^OOM/.test(said)) return 'Memory is full: redkeep doctor says what fills it.';
  if (/^MISCONF/.test(said)) return 'The last snapshot failed, so writes are refused: the server log has the reason.';
  if (/^NOREPLICAS/.test(said)) return 'Too few replicas are in step: bring them back.';
  if (/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN)/.test(said))
    return 'This is a cluster: use createCluster with its nodes as rootNodes.';
  return 'See the message of the server.';
}

async function testDatabase(client: RedisClient, database: number): Promise<void> {
  if (database === 0) return;
  try {
    await client.sendCommand(['SELECT', String(database)]);
  } catch (error) {
    const said = error instanceof ErrorReply ? error.message : String(error);
    throw new StageFailed(
      'permission',
      `SELECT ${database}: ${said}`,
      /out of range/i.test(said)
        ? 'The server has fewer databases (`databases`, 16 unless it says so); a cluster has only 0.'
        : 'The user may not select this database, or it is a cluster, which has only database 0.',
    );
  }
}

async function testLatency(client: RedisClient): Promise<Outcome> {
  const taken: number[] = [];
  for (let round = 0; round < 20; round += 1) {
    const started = performance.now();
    await client.sendCommand(['PING']);
    taken.push((performance.now() - started) * 1000);
  }
  taken.sort((a, b) => a - b);
  const [best = 0, middle = 0, worst = 0] = [taken[0], quantile(taken, 0.5), taken.at(-1)];
  const detail = `PING ${microseconds(middle)} in the middle, ${microseconds(best)} at best, ${microseconds(worst)} at worst of 20`;
  if (middle < 20_000) return { outcome: 'ok', detail };
  return {
    outcome: 'warning',
    detail,
    hint: 'More than 20 ms for a round trip: is the server in another region, or busy? Commands sent together wait only once.',
  };
}

async function cleanUp(
  client: RedisClient,
  key: string,
  pass: (name: StageName, outcome: Outcome) => void,
): Promise<void> {
  if (!client.isOpen) return;
  try {
    await client.sendCommand(['DEL', key]);
    pass('clean-up', { outcome: 'ok', detail: 'the test key was removed' });
  } catch (error) {
    if (/^(READONLY|MOVED)/.test(serverText(error)))
      return pass('clean-up', { outcome: 'ok', detail: 'nothing was written' });
    pass('clean-up', {
      outcome: 'warning',
      detail: error instanceof TimeoutError ? 'DEL was not answered' : 'DEL is not allowed',
      hint: 'The test key expires by itself within 60 s.',
    });
  }
}

function serverText(error: unknown): string {
  return error instanceof ErrorReply ? error.serverMessage : '';
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}
