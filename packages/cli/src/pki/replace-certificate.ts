import { X509Certificate } from 'node:crypto';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { CertificateSpec } from '../deployment/model.js';
import { timestamp } from '../deployment/write-files.js';
import { CliError, explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { replaceFiles } from '../files/replace-file.js';
import { issueCertificate, type KeyType, type PemPair } from './authority.js';

/** Puts a new pair in place of a certificate; the old one is kept under `backups/`. Returns the new fingerprint. */
export async function replaceCertificate(
  loaded: LoadedDeployment,
  spec: CertificateSpec,
  pair: PemPair,
  now: Date,
): Promise<string> {
  const backup = loaded.locate(path.join('backups', `certs-${timestamp(now)}`));
  try {
    for (const file of [spec.certFile, spec.keyFile]) {
      const kept = path.join(backup, file);
      await mkdir(path.dirname(kept), { recursive: true, mode: 0o700 });
      await copyFile(loaded.locate(file), kept).catch(ignoreMissing);
    }
    await replaceFiles([
      { file: loaded.locate(spec.keyFile), content: pair.key },
      { file: loaded.locate(spec.certFile), content: pair.cert, mode: 0o644 },
    ]);
  } catch (error) {
    throw explainSystemError(error, loaded.locate(spec.certFile));
  }
  return new X509Certificate(pair.cert).fingerprint256;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}

/** Issues a certificate again, with a new key. */
export async function renewCertificate(
  loaded: LoadedDeployment,
  spec: CertificateSpec,
  options: { readonly now: Date; readonly keyType?: KeyType },
): Promise<string> {
  const authority = {
    cert: await readFile(loaded.locate(loaded.deployment.caFile), 'utf8'),
    key: await readAuthorityKey(loaded.locate(loaded.deployment.caKeyFile)),
  };
  return replaceCertificate(loaded, spec, await issueCertificate(authority, spec, options), options.now);
}

async function readAuthorityKey(file: string): Promise<string> {
  const key = await readIfPresent(file);
  if (key !== undefined) return key;
  throw new CliError(
    'REDKEEP_CERTIFICATE_UNUSABLE',
    `The CA's key is not at ${file}: it was perhaps moved off this machine. Nothing was replaced.`,
    'Put it back for as long as this takes, and run it again.',
  );
}
