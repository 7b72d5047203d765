import { createPublicKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { keyFingerprint } from '../../audit/evidence/bundle.js';
import type { Context } from '../../context.js';
import { explainSystemError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import { flawsOfBundle, publicKeyFile } from '../../incident/evidence/bundle.js';
import { ed25519 } from '../audit/evidence.js';

interface VerifyOptions {
  readonly publicKey?: string;
  readonly fingerprint?: string;
  readonly json?: boolean;
}

/** `redkeep incident verify FOLDER`: whether every byte is as it was signed, and which key signed it. */
export async function verifyBundle(context: Context, given: string, options: VerifyOptions): Promise<void> {
  const { cwd, terminal } = context;
  const folder = path.resolve(cwd, given);
  const keyFile =
    options.publicKey === undefined ? path.join(folder, publicKeyFile) : path.resolve(cwd, options.publicKey);
  const pem = await readFile(keyFile, 'utf8').catch((error: unknown) => {
    throw explainSystemError(error, keyFile);
  });
  const key = ed25519(pem, keyFile, createPublicKey);
  const fingerprint = keyFingerprint(key);
  const { flaws: found, artefacts, createdAt } = await flawsOfBundle(folder, key);
  const isOther = options.fingerprint !== undefined && options.fingerprint.toLowerCase() !== fingerprint;
  const flaws = isOther ? [`signed by key ${fingerprint}, not by ${options.fingerprint}`, ...found] : found;
  const isKnown = options.publicKey !== undefined || options.fingerprint !== undefined;
  context.exitCode = flaws.length > 0 ? ExitCode.Findings : isKnown ? ExitCode.Ok : ExitCode.Incomplete;
  if (options.json) return terminal.json({ genuine: flaws.length === 0, flaws, artefacts, createdAt, fingerprint });
  for (const flaw of flaws) terminal.line(`NOT GENUINE: ${flaw}`);
  if (flaws.length > 0) return;
  terminal.line(`${artefacts} artefacts are as they were signed on ${createdAt}`);
  terminal.line(`Key ${fingerprint}`);
  if (!isKnown)
    terminal.note('Who that key belongs to is not known from here: give --fingerprint HEX or --public-key FILE.');
}
