import { loadSigner } from '../../backup/archive/state-folder.js';
import { proofFolder } from '../../backup/format/names.js';
import type { Proof } from '../../backup/format/proof.js';
import { signLine } from '../../backup/format/signed.js';
import { planRestore } from '../../backup/restore/plan-restore.js';
import { proveByRestore } from '../../backup/restore/prove.js';
import type { Context } from '../../context.js';
import { timestamp } from '../../deployment/write-files.js';
import { type MomentOptions, momentOf } from '../restore/moment.js';
import { type ReadOptions, readIdentities } from './options.js';
import { readBackup, refuseProblems, requireTrust } from './reading.js';
import { scratchProgram } from './scratch-program.js';
import { Progress, plural, seconds, size } from './sizes.js';

export interface ProveCommandOptions extends ReadOptions, MomentOptions {
  readonly server?: string;
  readonly work?: string;
  readonly unverifiedWriter?: boolean;
}

/** `redkeep backup prove`: restores into a scratch server, and records that and how long it took. */
export async function backupProve(context: Context, options: ProveCommandOptions): Promise<void> {
  const { terminal, signal, clock } = context;
  const identities = await readIdentities(context, options.identity);
  const reading = requireTrust(context, await readBackup(context, options), options.unverifiedWriter ?? false);
  const { environment, source, loaded, gone } = reading;
  refuseProblems(loaded.problems);
  const { target } = await momentOf(reading, options, identities);
  const plan = planRestore(loaded.entries, source, target, { gone, nearest: options.nearest ?? false });
  const program = await scratchProgram(context, plan, options.server);
  const progress = new Progress((text) => terminal.note(text));
  const began = performance.now();
  const shards = await proveByRestore(plan, {
    ...{ store: environment.store, identities, program, signal, workFolder: options.work },
    onProgress: (shard, step, bytes, total) => progress.report(`${shard}: ${step}`, bytes, total),
  });
  const at = clock.now();
  const proof: Proof = {
    ...{ format: 1, source, at: at.toISOString() },
    engine: `${program.engine.name} ${program.fullVersion}`,
    tookMs: Math.round(performance.now() - began),
    oneMoment: plan.oneMoment,
    shards: shards.map((shard) => ({ ...shard, findings: [...shard.findings] })),
  };
  const signer = await loadSigner(environment.stateOf('prove'));
  const name = `${proofFolder(source)}${timestamp(at)}.json`;
  await environment.store.put(name, { data: signLine(JSON.stringify(proof), signer) });
  if (options.json) return terminal.json(proof);
  for (const shard of proof.shards) {
    terminal.line(
      `${shard.shard}: ${plural(shard.keys, 'key')} as of ${new Date(shard.second * 1000).toISOString()}, digest ${shard.digest.slice(0, 12)}…, ` +
        `fetch ${seconds(shard.fetchMs)}, check ${seconds(shard.checkMs)}, load ${seconds(shard.loadMs)}.`,
    );
  }
  const bytes = proof.shards.reduce((sum, shard) => sum + shard.encryptedBytes, 0);
  terminal.done(
    `Proved by ${proof.engine}: ${size(bytes)} restored in ${seconds(proof.tookMs)}, your real recovery time.`,
  );
  if (!plan.oneMoment) terminal.warn('The shards are not of one moment: no coordinated cut was chosen (--cut).');
}
