import type { Fact } from '../audit/facts/fact.js';
import type { Endpoint } from '../audit/gather/endpoint.js';
import type { Session } from '../audit/gather/node.js';
import { diagnose } from '../doctor/diagnose.js';
import { gatherEvidence } from '../doctor/gather-evidence.js';
import { reasonOf } from './evidence/collect.js';
import { type Judgement, judge } from './indicators/indicator.js';
import { indicators } from './indicators/indicators.js';
import { readScene, type SceneOptions } from './indicators/read-scene.js';
import { type Reach, reachOf } from './reach/reach.js';

export interface ServerAssessment {
  readonly address: string;
  readonly observedAt: string;
  readonly judgements: readonly Judgement[];
  readonly reach: Fact<readonly Reach[]>;
  /** Keys whose values were looked at, of how many; null where none were. */
  readonly keys: { readonly looked: number; readonly total: number } | null;
}

export interface AssessRequest extends SceneOptions {
  readonly endpoint: Endpoint;
  /** How long to watch for slowness and failures, in seconds; 0 not to. */
  readonly watchSeconds: number;
  readonly openSession: (endpoint: Endpoint) => Promise<Session>;
}

/** Looks for the traces of every indicator on one server, and for who could reach what. Only reads. */
export async function assess(request: AssessRequest): Promise<ServerAssessment> {
  const { endpoint, openSession } = request;
  const session = await openSession(endpoint);
  try {
    const scene = await readScene(endpoint, session, request);
    const judgements = indicators.map((indicator) => judge(indicator, scene));
    return {
      address: scene.address,
      observedAt: new Date(scene.observedAt).toISOString(),
      judgements: [...judgements, await degraded(request)],
      reach: await reachOf(scene, session.ask),
      keys: scene.values.observed ? { looked: scene.values.value.looked, total: scene.values.value.total } : null,
    };
  } finally {
    await session.close().catch(() => undefined);
  }
}

/** Slowness and failures are incidents too: what the doctor finds to be failing or slow now. */
async function degraded({ endpoint, openSession, watchSeconds, now, signal }: AssessRequest): Promise<Judgement> {
  const about = { id: 'degraded', title: 'Commands that fail or are slow now' } as const;
  const nothing = { signs: [], looked: [], notLooked: [] };
  if (watchSeconds === 0) {
    const reason = 'not watched (--watch-seconds 0)';
    return { ...about, ...nothing, outcome: 'not-looked', notLooked: [{ place: 'live', reason }] };
  }
  try {
    const options = { seconds: watchSeconds, keys: 0, showKeys: false, now, signal, openSession };
    const findings = diagnose(await gatherEvidence(endpoint, options));
    const signs = findings
      .filter(({ kind }) => kind === 'failing' || kind === 'slow')
      .map(({ title, measured }) => ({ place: 'live' as const, text: `${title}: ${measured}` }));
    return { ...about, ...nothing, outcome: signs.length > 0 ? 'found' : 'not-found', signs, looked: ['live'] };
  } catch (error) {
    const notLooked = [{ place: 'live' as const, reason: reasonOf(error) }];
    return { ...about, ...nothing, outcome: 'not-looked', notLooked };
  }
}
