import { setTimeout as delay } from 'node:timers/promises';
import { loadSigner } from '../../backup/archive/state-folder.js';
import { proofFolder } from '../../backup/format/names.js';
import type { Proof } from '../../backup/format/proof.js';
import { signLine } from '../../backup/format/signed.js';
import { historiesOf } from '../../backup/restore/histories.js';
import { compareLive, type LiveShard, makeLiveMoment } from '../../backup/restore/live-moment.js';
import { planRestore, type RestoreTarget } from '../../backup/restore/plan-restore.js';
import { proveByRestore, type ShardProof } from '../../backup/restore/prove.js';
import { resolveSource, type SourceOptions } from '../../backup/source/resolve-source.js';
import type { Context } from '../../context.js';
import { timestamp } from '../../deployment/write-files.js';
import { CliError } from '../../errors.js';
import { type MomentOptions, momentOf } from '../restore/moment.js';
import { keepRecords } from './keep-records.js';
import { type ReadOptions, readIdentities } from './options.js';
import { type Reading, readBackup, refuseProblems, requireTrust } from './reading.js';
import { scratchProgram } from './scratch-program.js';
import { Progress, plural, seconds, size } from './sizes.js';

export interface ProveCommandOptions extends ReadOptions, MomentOptions, Omit<SourceOptions, keyof ReadOptions> {
  /** How many keys of the running servers to compare with; true for the default. */
  readonly live?: string | true;
  readonly server?: string;
  readonly work?: string;
  readonly unverifiedWriter?: boolean;
}

/** `redkeep backup prove`: restores into a scratch server, and records that and how long it took. */
export async function backupProve(context: Context, options: ProveCommandOptions): Promise<void> {
  const { terminal, signal, clock } = context;
  const identities = await readIdentities(context, options.identity);
  const read = async () => requireTrust(context, await readBackup(context, options), options.unverifiedWriter ?? false);
  const live = options.live === undefined ? undefined : await liveMoment(context, options, await read(), options.live);
  const reading = live === undefined ? await read() : await covering(context, live, read);
  const { environment, source, loaded, gone } = reading;
  refuseProblems(loaded.problems);
  const target = live ? liveTarget(reading, live) : (await momentOf(reading, options, identities)).target;
  const plan = planRestore(loaded.entries, source, target, { gone, nearest: options.nearest ?? false });
  const program = await scratchProgram(context, plan, options.server);
  const progress = new Progress((text) => terminal.note(text));
  const began = performance.now();
  const shards = await proveByRestore(plan, {
    ...{ store: environment.store, identities, program, signal, workFolder: options.work },
    onProgress: (shard, step, bytes, total) => progress.report(`${shard}: ${step}`, bytes, total),
    compare: async (client, { shard }) => {
      const moment = live?.get(shard);
      return moment && compareLive(client, moment);
    },
  });
  refuseDifferences(shards);
  const at = clock.now();
  const proof: Proof = {
    ...{ format: 1, source, at: at.toISOString() },
    engine: `${program.engine.name} ${program.fullVersion}`,
    tookMs: Math.round(performance.now() - began),
    oneMoment: plan.oneMoment,
    shards: shards.map(({ live: compared, ...shard }) => ({
      ...shard,
      ...(compared && { live: { compared: compared.compared, passedOver: compared.passedOver } }),
    })),
  };
  const signer = await loadSigner(environment.stateOf('prove'));
  const name = `${proofFolder(source)}${timestamp(at)}.json`;
  await environment.store.put(name, { data: signLine(JSON.stringify(proof), signer) });
  await keepRecords(context, environment, source, options);
  if (options.json) return terminal.json(proof);
  for (const shard of proof.shards) {
    terminal.line(
      `${shard.shard}: ${plural(shard.keys, 'key')} as of ${new Date(shard.second * 1000).toISOString()}, digest ${shard.digest.slice(0, 12)}…, ` +
        `fetch ${seconds(shard.fetchMs)}, check ${seconds(shard.checkMs)}, load ${seconds(shard.loadMs)}.`,
    );
  }
  for (const { shard, live: compared } of proof.shards) {
    if (!compared) continue;
    const over = compared.passedOver > 0 ? ` (${compared.passedOver} changed meanwhile or are too large)` : '';
    terminal.line(
      `${shard}: the canary is there, ${plural(compared.compared, 'key')} ${compared.compared === 1 ? 'is' : 'are'} as on the running server${over}.`,
    );
  }
  const bytes = proof.shards.reduce((sum, shard) => sum + shard.encryptedBytes, 0);
  terminal.done(
    `Proved by ${proof.engine}: ${size(bytes)} restored in ${seconds(proof.tookMs)}, your real recovery time.`,
  );
  if (!plan.oneMoment && !live)
    terminal.warn('The shards are not of one moment: no coordinated cut was chosen (--cut).');
}

const defaultSample = 1000;
/** The archive seals every few seconds; one that has not passed a moment by then does not run. */
const coverMs = 60_000;
const coverPollMs = 1000;

type LiveMoment = ReadonlyMap<string, LiveShard>;

async function liveMoment(
  context: Context,
  options: ProveCommandOptions,
  { environment, loaded, source }: Reading,
  wanted: string | true,
): Promise<LiveMoment> {
  const count = wanted === true ? defaultSample : Number(wanted);
  const named = options.at ?? options.before ?? options.cut;
  if (!Number.isInteger(count) || count < 1 || named !== undefined) {
    throw new CliError(
      'REDKEEP_USAGE',
      named === undefined ? '--live is not a number of keys.' : '--live makes its own moment.',
      'For example --live 1000, without --at, --before and --cut.',
    );
  }
  refuseProblems(loaded.problems);
  const moment = await makeLiveMoment(await resolveSource(context, { ...options, source }), count);
  context.terminal.note(`Waiting until the archive in ${environment.store.description} has passed that moment.`);
  return moment;
}

/** Reads the store until it covers the moment. */
async function covering(context: Context, live: LiveMoment, read: () => Promise<Reading>): Promise<Reading> {
  const until = performance.now() + coverMs;
  for (;;) {
    const reading = await read();
    const late = [...live].find(([shard, { offset }]) => placeOf(reading, shard, offset) === undefined);
    if (!late) return reading;
    if (performance.now() > until) {
      throw new CliError(
        'REDKEEP_BACKUP_UNPROVED',
        `What was written on "${late[0]}" has not reached the store within ${coverMs / 1000} s: the archive does not run, or is behind.`,
        'Start "redkeep backup archive" or look at its log; without --live, what is in the store is proved.',
      );
    }
    await delay(coverPollMs, undefined, { signal: context.signal });
  }
}

function placeOf({ loaded, source, gone }: Reading, shard: string, offset: number) {
  return historiesOf(loaded.entries, source, gone)
    .filter(
      (history) => history.shard === shard && history.end.offset >= offset && history.bases[0]!.body.offset <= offset,
    )
    .sort((a, b) => b.end.second - a.end.second)[0];
}

function liveTarget(reading: Reading, live: LiveMoment): RestoreTarget {
  const stops = Object.fromEntries(
    [...live].map(([shard, { offset }]) => [shard, { place: placeOf(reading, shard, offset)!, offset }]),
  );
  return { kind: 'before', stops, second: Math.min(...Object.values(stops).map(({ place }) => place.end.second)) };
}

function refuseDifferences(shards: readonly ShardProof[]): void {
  const found = shards.flatMap(({ shard, live }) => (live?.differences ?? []).map((text) => `${shard}: ${text}`));
  if (found.length === 0) return;
  throw new CliError(
    'REDKEEP_BACKUP_UNPROVED',
    `The restore is not what the running servers had: ${found[0]}${found.length > 1 ? `, and ${plural(found.length - 1, 'more difference')}` : ''}.`,
    'Do not rely on this backup: take a new base (redkeep backup run), prove that, and report this.',
  );
}
