import { X509Certificate } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Journal } from '../apply/journal.js';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { CertificateSpec } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';
import { stopIfInterrupted } from '../interruption.js';
import { replaceCertificate } from '../pki/replace-certificate.js';
import { certificatesOf } from '../pki/trust-bundle.js';
import {
  applyFolder,
  nextCertificate,
  nextKey,
  type RotateAuthorityOptions,
  trustNewOnly,
} from './rotate-certificates.js';
import { beginTakingBack } from './taking-back.js';

/** Puts the certificates of before in place again and has servers take them. Safe to repeat. */
export async function abortCertificates(
  context: Context,
  loaded: LoadedDeployment,
  specs: readonly CertificateSpec[],
  journal: Journal,
): Promise<void> {
  await beginTakingBack(journal);
  await putPairsBack(context, loaded, specs, journal);
  await applyFolder(context, loaded, journal);
  await journal.finish('undone');
}

/**
 * Takes a change of the CA back until the old one has lost its trust: both are trusted, certificates of the old one
 * are served and used again, and after the grace time the new CA goes. Safe to repeat after a kill.
 */
export async function abortAuthority(
  context: Context,
  loaded: LoadedDeployment,
  journal: Journal,
  { graceMs }: RotateAuthorityOptions,
): Promise<void> {
  if (journal.steps.some(({ step }) => step === trustNewOnly))
    throw new CliError(
      'REDKEEP_USAGE',
      'The old CA has lost its trust already.',
      'Let the rotation end: redkeep rotate ca. A new rotation gives a new CA.',
    );
  await beginTakingBack(journal);
  const { caFile, clientCaFile, caKeyFile, certificates } = loaded.deployment;
  const fresh = await readIfPresent(loaded.locate(nextCertificate));
  const [trusted, clients] = await Promise.all([journal.kept('old-ca.crt'), journal.kept('old-client-ca.crt')]);
  if (trusted !== undefined && clients !== undefined) {
    // The old one first: it signs. Nobody is refused meanwhile, because both are trusted until clients have moved.
    const both = fresh === undefined ? '' : String(new X509Certificate(fresh));
    const served = await servesNew(loaded, fresh);
    await put(loaded, [caFile, trusted + both], [clientCaFile, clients + both]);
    const key = await journal.kept('old-ca.key');
    if (key !== undefined) await replaceFile(loaded.locate(caKeyFile), key);
    await putPairsBack(context, loaded, certificates, journal);
    await applyFolder(context, loaded, journal);
    stopIfInterrupted(context.signal);
    if (served) await delay(graceMs, undefined, { signal: context.signal }).catch(() => undefined);
    stopIfInterrupted(context.signal);
    await put(loaded, [caFile, trusted], [clientCaFile, clients]);
    await applyFolder(context, loaded, journal);
  }
  for (const file of [nextCertificate, nextKey]) await rm(loaded.locate(file), { force: true });
  await rm(path.join(journal.folder, 'old-ca.key'), { force: true });
  await journal.finish('undone');
}

/** Whether clients may have taken certificates of the new CA. */
async function servesNew(loaded: LoadedDeployment, fresh: string | undefined): Promise<boolean> {
  if (fresh === undefined) return false;
  const [signs] = certificatesOf(await readFile(loaded.locate(loaded.deployment.caFile), 'utf8'));
  return signs!.fingerprint256 === new X509Certificate(fresh).fingerprint256;
}

async function put(loaded: LoadedDeployment, ...files: readonly (readonly [string, string])[]): Promise<void> {
  for (const [file, content] of files) await replaceFile(loaded.locate(file), content, { mode: 0o644 });
}

async function putPairsBack(
  { clock }: Context,
  loaded: LoadedDeployment,
  specs: readonly CertificateSpec[],
  journal: Journal,
): Promise<void> {
  for (const spec of specs) {
    const cert = await journal.kept(`before/${spec.name}.crt`);
    const key = await journal.kept(`before/${spec.name}.key`);
    if (cert === undefined || key === undefined) continue;
    const current = await Promise.all([spec.certFile, spec.keyFile].map((file) => readIfPresent(loaded.locate(file))));
    if (current[0] === cert && current[1] === key) continue;
    await replaceCertificate(loaded, spec, { cert, key }, clock.now());
  }
}
