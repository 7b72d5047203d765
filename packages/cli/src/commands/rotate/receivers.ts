import path from 'node:path';
import type { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { readIfPresent } from '../../files/read-if-present.js';
import type { SecretReceiver } from '../../rotation/secret-receivers.js';
import { readSecretReceivers, secretsFileName } from '../../rotation/secrets-file.js';

const step = 'receivers';

/**
 * The receivers of a rotation: of the file that is given, else that it began with, else `secrets.yaml` in the folder. Going on, or taking
 * back, without those that have got something would leave them with a password that nobody accepts.
 */
export async function receiversOf(
  context: Context,
  loaded: LoadedDeployment,
  journal: Journal,
  given: string | undefined,
): Promise<readonly SecretReceiver[]> {
  const usual = loaded.locate(secretsFileName);
  const noted = journal.dataOf(step);
  const known = typeof noted === 'string' ? noted : (await readIfPresent(usual)) === undefined ? undefined : usual;
  const file = given === undefined ? known : path.resolve(context.cwd, given);
  if (file === undefined) return [];
  const receivers = await readSecretReceivers(context, file);
  await journal.step(step, async () => undefined, file);
  return receivers;
}
