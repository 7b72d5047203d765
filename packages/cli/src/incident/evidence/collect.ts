import type { KeyObject } from 'node:crypto';
import { hostname } from 'node:os';
import { addressText } from '../../audit/gather/discover.js';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import type { Ask } from '../../audit/gather/live.js';
import type { Session } from '../../audit/gather/node.js';
import { EvidenceBundle, type Times } from './bundle.js';
import { hostArtefacts, NothingThere, secretsInFiles } from './host-artefacts.js';
import { type HostPaths, hostPathsOf } from './host-paths.js';
import { Redactor } from './redactor.js';
import { type ServerArtefact, type ServerKind, serverArtefacts } from './server-artefacts.js';

export interface CollectRequest {
  readonly folder: string;
  readonly target: string;
  readonly endpoints: readonly Endpoint[];
  /** age public keys; with none the artefacts are in clear, 0600. */
  readonly recipients: readonly string[];
  readonly key: KeyObject;
  readonly openSession: (endpoint: Endpoint) => Promise<Session>;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly onArtefact?: (source: string, id: string, outcome: string) => void;
  /** Takes a sealed copy of the data into the folder; returns its files. */
  readonly copyData?: (folder: string) => Promise<readonly { name: string; bytes: number; sha256: string }[]>;
}

export interface Collected {
  readonly folder: string;
  /** The bytes that are signed. */
  readonly signed: Buffer;
  readonly artefacts: number;
  /** What could not be read, and why. */
  readonly missing: readonly string[];
  readonly tookMs: number;
}

/** Begins the outcome of what a server does not have. */
const none = 'none: ';

/** What `collect` would ask and read, in its order; nothing is asked for it. */
export function plannedReads(
  endpoints: readonly Endpoint[],
): readonly { source: string; id: string; asks: readonly string[] }[] {
  return endpoints.flatMap((endpoint) => {
    const source = addressText(endpoint);
    return [
      ...serverArtefacts.map(({ id, asks }) => ({ source, id, asks: ['TIME', ...asks, 'TIME'] })),
      ...hostArtefacts.map(({ id, reads }) => ({ source: `${source} host, where it is this one`, id, asks: reads })),
    ];
  });
}

/** Reads every artefact of every server, most volatile first, and signs. Changes nothing on a server. */
export async function collect(request: CollectRequest): Promise<Collected> {
  const began = performance.now();
  const redactor = new Redactor();
  for (const { password, key } of request.endpoints)
    redactor.learn(password, ...(key?.split('\n').filter((line) => line.length >= 40) ?? []));
  const bundle = await EvidenceBundle.begin(
    request.folder,
    { target: request.target, collector: hostname(), now: request.now() },
    { recipients: request.recipients, redactor, key: request.key },
  );
  const missing: string[] = [];
  const note = (source: string, id: string, outcome: string): void => {
    if (outcome !== 'ok' && !outcome.startsWith(none)) missing.push(`${source} ${id}: ${outcome}`);
    request.onArtefact?.(source, id, outcome);
  };
  const sessions: { source: string; endpoint: Endpoint; session: Session }[] = [];
  for (const endpoint of request.endpoints) {
    const source = addressText(endpoint);
    try {
      sessions.push({ source, endpoint, session: await request.openSession(endpoint) });
    } catch (error) {
      const outcome = reasonOf(error);
      const at = request.now().toISOString();
      await bundle.add({ id: 'connection', source, what: 'login', outcome, ...noServerTime(at, at) }, undefined);
      note(source, 'connection', outcome);
    }
  }
  try {
    const hosts = new Map<string, HostPaths | Error>();
    for (const { source, endpoint, session } of sessions) {
      const paths = await hostPathsOf(session.ask, endpoint.host).catch((error: Error) => error);
      hosts.set(source, paths);
      // Before anything is read: what must not be in the bundle has to be known first.
      if (!(paths instanceof Error)) redactor.learn(...(await secretsInFiles(paths)));
      await learnHashes(session.ask, redactor);
    }
    for (const { source, session } of sessions) {
      const kind = await kindOf(session.ask);
      for (const artefact of serverArtefacts) {
        request.signal.throwIfAborted();
        if (artefact.appliesTo && !artefact.appliesTo(kind)) continue;
        note(source, artefact.id, await keepReply(bundle, source, artefact, session.ask, redactor, request.now));
      }
    }
    for (const { source } of sessions) {
      const paths = hosts.get(source)!;
      for (const artefact of hostArtefacts) {
        request.signal.throwIfAborted();
        const started = request.now().toISOString();
        const read = await tried(() => {
          if (paths instanceof Error) throw paths;
          return artefact.read(paths, redactor);
        });
        const record = { id: artefact.id, source: `${source}-host`, what: artefact.reads.join(', ') };
        await bundle.add(
          { ...record, outcome: read.outcome, ...noServerTime(started, request.now().toISOString()) },
          read.content,
        );
        note(record.source, artefact.id, read.outcome);
      }
    }
    if (request.copyData) await keepData(bundle, request, request.copyData, note);
  } finally {
    for (const { session } of sessions) await session.close().catch(() => undefined);
  }
  const signed = await bundle.finish(request.now());
  return {
    folder: request.folder,
    signed,
    artefacts: bundle.artefacts - 1,
    missing,
    tookMs: performance.now() - began,
  };
}

async function keepReply(
  bundle: EvidenceBundle,
  source: string,
  artefact: ServerArtefact,
  ask: Ask,
  redactor: Redactor,
  now: () => Date,
): Promise<string> {
  const serverStarted = await serverTime(ask);
  const started = now().toISOString();
  const { content, outcome } = await tried(() => artefact.read(ask, redactor));
  const ended = now().toISOString();
  const times: Times = { started, ended, serverStarted, serverEnded: await serverTime(ask) };
  await bundle.add({ id: artefact.id, source, what: artefact.asks.join(', '), outcome, ...times }, content);
  return outcome;
}

async function keepData(
  bundle: EvidenceBundle,
  request: CollectRequest,
  copyData: NonNullable<CollectRequest['copyData']>,
  note: (source: string, id: string, outcome: string) => void,
): Promise<void> {
  const started = request.now().toISOString();
  const record = { id: 'data', source: 'data', what: 'a copy by the replication stream, sealed' };
  try {
    for (const { name, bytes, sha256 } of await copyData(request.folder))
      await bundle.addWritten(
        { ...record, outcome: 'ok', ...noServerTime(started, request.now().toISOString()) },
        name,
        { bytes, sha256 },
      );
    note('data', 'data', 'ok');
  } catch (error) {
    const outcome = reasonOf(error);
    await bundle.add({ ...record, outcome, ...noServerTime(started, request.now().toISOString()) }, undefined);
    note('data', 'data', outcome);
  }
}

async function tried(read: () => Promise<string>): Promise<{ content?: string; outcome: string }> {
  try {
    return { content: await read(), outcome: 'ok' };
  } catch (error) {
    return { outcome: error instanceof NothingThere ? `${none}${error.message}` : reasonOf(error) };
  }
}

/** The first line of what was said, without what was in it of values. */
export function reasonOf(error: unknown): string {
  const words = error instanceof Error && 'serverMessage' in error ? String(error.serverMessage) : undefined;
  const text = words ?? (error instanceof Error ? error.message : String(error));
  return (text.split('\n')[0] ?? '').slice(0, 200);
}

function noServerTime(started: string, ended: string): Times {
  return { started, ended, serverStarted: null, serverEnded: null };
}

async function serverTime(ask: Ask): Promise<string | null> {
  const reply = await ask('TIME').catch(() => undefined);
  if (!Array.isArray(reply)) return null;
  return new Date(Number(reply[0]) * 1000 + Math.floor(Number(reply[1]) / 1000)).toISOString();
}

/** Hashes of passwords: anyone who has them can try passwords against them. */
async function learnHashes(ask: Ask, redactor: Redactor): Promise<void> {
  const lines = await ask('ACL', 'LIST').catch(() => []);
  for (const line of Array.isArray(lines) ? lines : []) redactor.aclLine(String(line));
}

async function kindOf(ask: Ask): Promise<ServerKind> {
  const info = String(await ask('INFO').catch(() => ''));
  return {
    engine: /^valkey_version:/m.test(info) ? 'valkey' : /^dragonfly_version:/m.test(info) ? 'dragonfly' : 'redis',
    isCluster: /^cluster_enabled:1/m.test(info),
    isSentinel: /^(?:redis|server)_mode:sentinel/m.test(info),
  };
}
