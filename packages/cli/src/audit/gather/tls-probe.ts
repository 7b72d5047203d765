import { type ConnectionOptions, checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';
import { type Fact, observed, unobserved } from '../facts/fact.js';
import type { TlsFacts, TlsVersion } from '../facts/tls-facts.js';
import { certificateFacts } from './certificate.js';
import { type Endpoint, firstLine, isResp, openTls } from './endpoint.js';

const versions: readonly TlsVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];
// Security level 0 lets this side offer what no client should, to see whether the server takes it.
const everySuite = 'ALL:!aNULL:!eNULL:@SECLEVEL=0';
const suites13 = [
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_128_CCM_SHA256',
];
const groups = ['X25519MLKEM768', 'X25519', 'prime256v1', 'secp384r1', 'secp521r1', 'ffdhe2048', 'ffdhe3072'];

function only(version: TlsVersion): ConnectionOptions {
  return { minVersion: version, maxVersion: version };
}

/** Runs one handshake and hands the socket over; `undefined` when the handshake fails. */
async function attempt<T>(
  endpoint: Endpoint,
  options: ConnectionOptions,
  look: (socket: TLSSocket) => T,
): Promise<T | undefined> {
  try {
    const socket = await openTls(endpoint, { ca: [], cert: endpoint.cert, key: endpoint.key, ...options });
    try {
      return look(socket);
    } finally {
      socket.destroy();
    }
  } catch {
    return undefined;
  }
}

/** Asks again and again without the suites already seen, until the server has none left. */
async function suitesOf(endpoint: Endpoint, version: TlsVersion): Promise<string[]> {
  const found: string[] = [];
  for (let turn = 0; turn < 40; turn++) {
    const ciphers = [everySuite, ...found.map((suite) => `!${suite}`)].join(':');
    const suite = await attempt(endpoint, { ...only(version), ciphers }, (socket) => socket.getCipher().name);
    if (suite === undefined || found.includes(suite)) break;
    found.push(suite);
  }
  return found;
}

async function accepted<T extends string>(items: readonly T[], probe: (item: T) => Promise<unknown>): Promise<T[]> {
  const results = await Promise.all(items.map(probe));
  return items.filter((_, index) => results[index] !== undefined);
}

function chainOf(socket: TLSSocket): Buffer[] {
  const chain: Buffer[] = [];
  let certificate: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  while (certificate?.raw && !chain.some((seen) => seen.equals(certificate!.raw))) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  return chain;
}

interface Served {
  readonly chain: readonly Buffer[];
  readonly error: string | null;
  readonly matches: Readonly<Record<string, boolean>>;
}

function look(socket: TLSSocket, names: readonly string[]): Served {
  const certificate = socket.getPeerCertificate(true);
  return {
    chain: chainOf(socket),
    error: socket.authorized ? null : String(socket.authorizationError ?? 'unknown error'),
    matches: Object.fromEntries(names.map((name) => [name, checkServerIdentity(name, certificate) === undefined])),
  };
}

async function answersWithoutCertificate(endpoint: Endpoint): Promise<boolean> {
  try {
    const socket = await openTls(endpoint);
    return isResp(await firstLine(socket, 'PING\r\n', endpoint.timeoutMs));
  } catch {
    return false;
  }
}

function renegotiates(endpoint: Endpoint): Promise<boolean> {
  return openTls(endpoint, { ...only('TLSv1.2'), cert: endpoint.cert, key: endpoint.key }).then(
    (socket) =>
      new Promise<boolean>((resolve) => {
        const finish = (result: boolean): void => {
          socket.destroy();
          resolve(result);
        };
        // A server that refuses may simply not answer.
        socket.setTimeout(250, () => finish(false));
        socket.once('close', () => finish(false));
        if (!socket.renegotiate({ rejectUnauthorized: false }, (error) => finish(!error))) finish(false);
      }),
    () => false,
  );
}

/**
 * What a port offers, found by handshakes of our own: each version, each suite, each group, the chain that is served.
 * About thirty handshakes, a few at a time.
 */
export async function probeTls(endpoint: Endpoint, names: readonly string[]): Promise<TlsFacts> {
  const offered = await accepted(versions, (version) =>
    attempt(
      endpoint,
      {
        ...only(version),
        ciphers: `${everySuite}:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256`,
      },
      () => true,
    ),
  );
  const older = offered.filter((version) => version !== 'TLSv1.3');
  const [served, classic, modern, curves, dhBits, withoutClientCertificate, renegotiation] = await Promise.all([
    offered.length > 0
      ? attempt(
          endpoint,
          {
            ...(endpoint.ca !== undefined && { ca: endpoint.ca }),
            minVersion: 'TLSv1',
            ciphers: `DEFAULT:${everySuite}`,
          },
          (socket) => look(socket, names),
        )
      : undefined,
    Promise.all(older.map(async (version) => [version, await suitesOf(endpoint, version)] as const)),
    offered.includes('TLSv1.3')
      ? accepted(suites13, (suite) => attempt(endpoint, { ...only('TLSv1.3'), ciphers: suite }, () => true))
      : [],
    offered.length > 0 ? accepted(groups, (group) => attempt(endpoint, { ecdhCurve: group }, () => true)) : [],
    offered.includes('TLSv1.2')
      ? attempt(endpoint, { ...only('TLSv1.2'), ciphers: 'DHE:@SECLEVEL=0' }, ephemeralBits)
      : undefined,
    offered.length > 0 ? answersWithoutCertificate(endpoint) : false,
    offered.includes('TLSv1.2') ? renegotiates(endpoint) : false,
  ]);
  const chainError: Fact<string | null> = !served
    ? unobserved('no handshake succeeded')
    : endpoint.ca === undefined
      ? unobserved('no CA was given to verify against: --ca FILE')
      : observed(served.error, 'TLS handshake');
  return {
    port: endpoint.port,
    versions: Object.fromEntries(versions.map((version) => [version, offered.includes(version)])) as Record<
      TlsVersion,
      boolean
    >,
    suites: { ...Object.fromEntries(classic), ...(modern.length > 0 && { 'TLSv1.3': modern }) },
    groups: curves,
    ...(dhBits !== undefined && { dhBits }),
    renegotiation,
    chain: (served?.chain ?? []).map((der) => certificateFacts(der)),
    chainError,
    nameMatches: served?.matches ?? {},
    withoutClientCertificate,
  };
}

function ephemeralBits(socket: TLSSocket): number | undefined {
  const info = socket.getEphemeralKeyInfo();
  return info && 'type' in info && info.type === 'DH' ? info.size : undefined;
}
