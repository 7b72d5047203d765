import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../../context.js';
import { explainSystemError } from '../../errors.js';
import { addTrust } from '../../pki/trust-bundle.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';
import { reloadNode } from './reload-node.js';

/** Prints what clients must trust, or adds a CA to it on every running node. */
export async function certsTrust(context: Context, file: string | undefined, options: DirOption): Promise<void> {
  const { terminal, clock } = context;
  const delivery = await openDelivery(context, options.dir);
  const { loaded } = delivery;
  const caFile = loaded.locate(loaded.deployment.caFile);
  if (file === undefined) {
    terminal.note(`Clients trust this file: REDIS_TLS_CA_FILE=${caFile}. It needs no place among the system's CAs.`);
    terminal.line((await readFile(caFile, 'utf8')).trimEnd());
    return;
  }
  const given = path.resolve(context.cwd, file);
  const pem = await readFile(given, 'utf8').catch((error: unknown) => {
    throw explainSystemError(error, given);
  });
  if (!(await addTrust(loaded, pem, { now: clock.now() }))) return terminal.done('This CA is trusted already.');
  for (const node of loaded.deployment.nodes) {
    terminal.done(`${node.name}: ${await reloadNode(context, delivery, node)}.`);
  }
  terminal.done(`Added to ${caFile}.`);
}
