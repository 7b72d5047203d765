import { type Endpoint, firstLine, isResp, openTcp, openTls } from '../audit/gather/endpoint.js';
import type { DeploymentNode } from '../deployment/model.js';
import { criticalDays } from '../pki/certificate-status.js';
import { NodeGatherer } from './gather/node-gatherer.js';
import { servedCertificate } from './gather/served-certificate.js';

/**
 * What a probe asks: `alive`, whether the process answers at all (else restart it); `ready`, whether it serves
 * clients now (else send them elsewhere); `safe`, whether it serves only those who may (else look at it).
 */
export const healthLevels = ['alive', 'ready', 'safe'] as const;
export type HealthLevel = (typeof healthLevels)[number];

export interface HealthResult {
  readonly node: string;
  readonly level: HealthLevel;
  readonly ok: boolean;
  /** Why not, in words that hold no secret. */
  readonly problems: readonly string[];
}

/** Checks one node up to a level; a higher level includes those below. */
export async function checkHealth(
  node: DeploymentNode,
  endpoint: Endpoint,
  level: HealthLevel,
  now: number,
): Promise<HealthResult> {
  const problems = await alive(endpoint);
  if (problems.length === 0 && level !== 'alive') problems.push(...(await ready(node, endpoint, now)));
  if (problems.length === 0 && level === 'safe') problems.push(...(await safe(endpoint, now)));
  return { node: node.name, level, ok: problems.length === 0, problems };
}

/**
 * A handshake shows that the process runs its loop: a stopped or hanging server finishes none. Nothing is asked, since
 * a question without a login would count as an unauthenticated probe. A server that loads its data is alive.
 */
async function alive(endpoint: Endpoint): Promise<string[]> {
  try {
    const { cert, key } = endpoint;
    const socket = endpoint.tls
      ? await openTls(endpoint, { minVersion: 'TLSv1.2', ...(cert && key && { cert, key }) })
      : await openTcp(endpoint);
    socket.end();
    socket.destroySoon();
    return [];
  } catch (error) {
    return [`it is not reached (${codeOf(error)})`];
  }
}

async function ready(node: DeploymentNode, endpoint: Endpoint, now: number): Promise<string[]> {
  const { name, host, port, role } = node;
  // A probe needs neither clients nor certificates: both cost the server more than the rest.
  const gatherer = new NodeGatherer({ deployment: '', name, host, port, role }, async () => endpoint, {
    clientListMs: Number.POSITIVE_INFINITY,
    handshakeMs: Number.POSITIVE_INFINITY,
  });
  try {
    const { up, problem, info, clusterInfo } = await gatherer.gather(now);
    if (!up || !info) return [`the monitoring user cannot log in over verified TLS (${problem})`];
    const { fields } = info;
    const is = (field: string, value: string) => fields.get(field) === value;
    return [
      ...(is('loading', '1') || is('async_loading', '1') ? ['it loads its data'] : []),
      ...(is('role', 'slave') && !is('master_link_status', 'up') ? ['its link to the primary is down'] : []),
      ...(clusterInfo && clusterInfo.fields.get('cluster_state') !== 'ok'
        ? ['the cluster does not serve all keys']
        : []),
      ...(is('rdb_last_bgsave_status', 'err') || is('aof_last_write_status', 'err')
        ? ['it cannot write to its disk']
        : []),
      ...(role === 'sentinel' && !/status=ok/.test(fields.get('master0') ?? '') ? ['it sees its primary as down'] : []),
    ];
  } finally {
    await gatherer.close();
  }
}

async function safe(endpoint: Endpoint, now: number): Promise<string[]> {
  const certificate = await servedCertificate(endpoint);
  const days = Math.floor((certificate.notAfter.getTime() - now) / 86_400_000);
  return [
    ...(certificate.trusted ? [] : [`its certificate is not trusted (${certificate.problem})`]),
    ...(days < criticalDays ? [`its certificate ends in ${days} days`] : []),
    ...(await servesStrangers(endpoint)),
    ...(await servesPlaintext(endpoint)),
  ];
}

/** INFO without a login: an answer with data means that anybody is served. */
async function servesStrangers(endpoint: Endpoint): Promise<string[]> {
  const { cert, key, timeoutMs } = endpoint;
  const socket = await openTls(endpoint, { minVersion: 'TLSv1.2', ...(cert && key && { cert, key }) });
  const line = await firstLine(socket, 'INFO\r\n', timeoutMs);
  return line.startsWith('$') || line.startsWith('=') ? ['it answers without a login'] : [];
}

async function servesPlaintext(endpoint: Endpoint): Promise<string[]> {
  const answer = await openTcp(endpoint).then(
    (socket) => firstLine(socket, 'PING\r\n', endpoint.timeoutMs),
    () => '',
  );
  return isResp(answer) ? ['it answers without TLS'] : [];
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^\w+$/.test(code) ? code : 'no answer';
}
