import { X509Certificate } from 'node:crypto';
import { copyFile, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { deliveryOf } from '../apply/delivery-of.js';
import type { Journal } from '../apply/journal.js';
import { planApply } from '../apply/plan.js';
import { runApply } from '../apply/run.js';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { isForeign } from '../deployment/make-material.js';
import { type CertificateSpec, certificateOf, userOf } from '../deployment/model.js';
import { targetOf } from '../engine/connect-node.js';
import { endpointOf } from '../engine/local-servers.js';
import { probeTls } from '../engine/probe-tls.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';
import { stopIfInterrupted } from '../interruption.js';
import { createAuthority } from '../pki/authority.js';
import { renewCertificate } from '../pki/replace-certificate.js';
import { addTrust, certificatesOf } from '../pki/trust-bundle.js';
import { refuseWhileTakenBack } from './taking-back.js';

export const nextCertificate = 'authority/next-ca.crt';
export const nextKey = 'authority/next-ca.key';
const probeMs = 5000;
export const keepCertificates = 'keep the certificates of before';
export const trustNewOnly = 'trust the new CA only';

type Step = (name: string, work: () => Promise<unknown>) => Promise<void>;

function stepsOf({ terminal, signal }: Context, journal: Journal): Step {
  return async (name, work) => {
    stopIfInterrupted(signal);
    terminal.detail(name);
    await journal.step(name, async () => {
      await work();
    });
  };
}

/** Brings every server in line with the folder: a reload where the engine can, else a restart, node by node. */
export async function applyFolder(context: Context, loaded: LoadedDeployment, journal: Journal): Promise<void> {
  const delivery = await deliveryOf(context, loaded);
  await runApply(context, delivery, await planApply(context, delivery), journal);
}

/** Issues certificates again, with new keys, and has servers take theirs. Each is proved by a handshake. */
export async function rotateCertificates(
  context: Context,
  loaded: LoadedDeployment,
  specs: readonly CertificateSpec[],
  journal: Journal,
): Promise<void> {
  refuseWhileTakenBack(journal, 'certificates');
  const step = stepsOf(context, journal);
  await step(keepCertificates, () => keepPairs(loaded, specs, journal));
  for (const spec of specs)
    await step(`issue ${spec.name}`, () => renewCertificate(loaded, spec, { now: context.clock.now() }));
  await step('have servers take them', () => applyFolder(context, loaded, journal));
  await journal.finish('done');
}

/** What an abort puts back. */
async function keepPairs(loaded: LoadedDeployment, specs: readonly CertificateSpec[], journal: Journal): Promise<void> {
  for (const { name, certFile, keyFile } of specs) {
    const [cert, key] = await Promise.all([certFile, keyFile].map((file) => readIfPresent(loaded.locate(file))));
    if (cert === undefined || key === undefined) continue;
    await journal.keep(`before/${name}.key`, key);
    await journal.keep(`before/${name}.crt`, cert);
  }
}

export interface RotateAuthorityOptions {
  /** How long clients have to read the new CA, and then their new certificates. */
  readonly graceMs: number;
}

/**
 * Replaces the private CA while clients of both work: first everybody trusts both, then every certificate comes from
 * the new one, then the old one is trusted by nobody. Ends with the proof that a certificate of the old CA is refused.
 */
export async function rotateAuthority(
  context: Context,
  loaded: LoadedDeployment,
  journal: Journal,
  { graceMs }: RotateAuthorityOptions,
): Promise<void> {
  refuseWhileTakenBack(journal, 'ca');
  const step = stepsOf(context, journal);
  const { deployment } = loaded;
  const { caFile, clientCaFile, caKeyFile, policy, certificates } = deployment;
  const now = () => context.clock.now();
  const wait = () => delay(graceMs, undefined, { signal: context.signal }).catch(() => undefined);
  const admin = certificateOf(deployment, userOf(deployment, 'admin')!.certificate);
  await step('keep what proves the end', async () => {
    await journal.keep('old-ca.crt', await readFile(loaded.locate(caFile), 'utf8'));
    await journal.keep('old-client.crt', await readFile(loaded.locate(admin.certFile), 'utf8'));
    await journal.keep('old-client.key', await readFile(loaded.locate(admin.keyFile), 'utf8'));
    await journal.keep('old-client-ca.crt', await readFile(loaded.locate(clientCaFile), 'utf8'));
  });
  await step(keepCertificates, () => keepPairs(loaded, certificates, journal));
  await step('make the new CA', async () => {
    // A name of its own: with two CAs of one name, chains could be built over the wrong one.
    const commonName = `redkeep private CA ${now().toISOString().slice(0, 19)}`;
    const made = await createAuthority({ commonName, days: policy.caDays, now: now() });
    await replaceFile(loaded.locate(nextKey), made.key);
    await replaceFile(loaded.locate(nextCertificate), made.cert, { mode: 0o644 });
  });
  const fresh = async () =>
    (await readIfPresent(loaded.locate(nextCertificate))) ?? (await readFile(loaded.locate(caFile), 'utf8'));
  await step('trust both', async () => {
    await addTrust(loaded, await fresh(), { now: now() });
    await applyFolder(context, loaded, journal);
  });
  await step('wait until clients trust both', wait);
  await step('sign with the new CA', async () => {
    const next = new X509Certificate(await fresh());
    const others = certificatesOf(await readFile(loaded.locate(caFile), 'utf8')).filter(
      ({ fingerprint256 }) => fingerprint256 !== next.fingerprint256,
    );
    // The first of the bundle is the one that signs.
    await replaceFile(loaded.locate(caFile), [next, ...others].map(String).join(''), { mode: 0o644 });
    if ((await readIfPresent(loaded.locate(nextKey))) === undefined) return;
    await copyFile(loaded.locate(caKeyFile), path.join(journal.folder, 'old-ca.key')).catch(ignoreMissing);
    await rename(loaded.locate(nextKey), loaded.locate(caKeyFile));
  });
  const oldAuthority = (await journal.kept('old-ca.crt'))!;
  for (const spec of certificates)
    await step(`issue ${spec.name}`, async () => {
      const current = await readFile(loaded.locate(spec.certFile), 'utf8');
      // What came from another CA is renewed there.
      if (isForeign(current, oldAuthority) && isForeign(current, await readFile(loaded.locate(caFile), 'utf8'))) return;
      await renewCertificate(loaded, spec, { now: now() });
    });
  await step('have servers take them', () => applyFolder(context, loaded, journal));
  await step('wait until clients have new certificates', wait);
  await step(trustNewOnly, async () => {
    const [old] = certificatesOf(oldAuthority);
    for (const file of [caFile, clientCaFile]) {
      const kept = certificatesOf(await readFile(loaded.locate(file), 'utf8')).filter(
        ({ fingerprint256 }) => fingerprint256 !== old!.fingerprint256,
      );
      await replaceFile(loaded.locate(file), kept.map(String).join(''), { mode: 0o644 });
    }
    await applyFolder(context, loaded, journal);
  });
  await step('prove it', () => proveAuthority(context, loaded, journal));
  await rename(loaded.locate(nextCertificate), path.join(journal.folder, 'new-ca.crt')).catch(ignoreMissing);
  await journal.finish('done');
}

/** Every node serves a certificate of the new CA and, where it asks for client certificates, refuses one of the old. */
async function proveAuthority(context: Context, loaded: LoadedDeployment, journal: Journal): Promise<void> {
  const { deployment } = loaded;
  const [first] = certificatesOf(await readFile(loaded.locate(deployment.caFile), 'utf8'));
  const admin = userOf(deployment, 'admin')!;
  const wrong: string[] = [];
  for (const node of deployment.nodes) {
    await probeTls({ ...(await endpointOf(loaded, node)), ca: String(first) }, probeMs);
    if (deployment.policy.clientCertificates !== 'required') continue;
    const target = {
      ...(await targetOf(loaded, node, admin)),
      certFile: path.join(journal.folder, 'old-client.crt'),
      keyFile: path.join(journal.folder, 'old-client.key'),
    };
    const accepted = await context.connect(target).then(
      (client) => {
        client.destroy();
        return true;
      },
      () => false,
    );
    if (accepted) wrong.push(node.name);
  }
  if (wrong.length === 0) return;
  throw new CliError(
    'REDKEEP_DELIVERY_FAILED',
    `A certificate of the old CA is still accepted by ${wrong.join(', ')}.`,
    'Run redkeep rotate ca again: it goes on. A sentinel takes a new CA at a restart.',
  );
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
