import type { RestorePlan } from '../../backup/restore/plan-restore.js';
import type { Context } from '../../context.js';
import { findServerProgram, type ServerProgram } from '../../engine/server-program.js';
import { CliError } from '../../errors.js';

/** A program that can load a backup: the one named, else one of the engine that wrote it, else any there is. */
export async function scratchProgram(
  context: Context,
  plan: RestorePlan,
  named: string | undefined,
): Promise<ServerProgram> {
  const engine = plan.shards[0]!.base.body.engine;
  const program =
    named === undefined
      ? ((await findServerProgram(context, { engine })) ?? (await findServerProgram(context, {})))
      : await findServerProgram(context, { program: named });
  if (program && program.engine.name !== 'dragonfly') return program;
  throw new CliError(
    'REDKEEP_SERVER_NOT_FOUND',
    'A restore needs a Redis or Valkey server program on this machine, and none was found.',
    'Install one (for example "apt install redis-server"), or name it with --server.',
  );
}
