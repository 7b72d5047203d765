import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { flawsOf, keyFingerprint, publicKeyFile, sealBundle } from '../../audit/evidence/bundle.js';
import { redactedFacts } from '../../audit/evidence/redact.js';
import { renderHtml } from '../../audit/render/html.js';
import { renderJson } from '../../audit/render/json.js';
import { renderSarif } from '../../audit/render/sarif.js';
import { gradeText } from '../../audit/render/text.js';
import type { Context } from '../../context.js';
import { CliError, explainSystemError } from '../../errors.js';
import { ExitCode } from '../../exit-codes.js';
import type { Audited } from './audited.js';

export interface EvidenceOptions {
  readonly evidence?: string;
  readonly evidenceKey?: string;
}

function usage(message: string, next: string): CliError {
  return new CliError('REDKEEP_USAGE', message, next);
}

export function ed25519(pem: string, file: string, read: (pem: string) => KeyObject): KeyObject {
  try {
    const key = read(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Said below: what OpenSSL says of a broken key helps nobody.
  }
  throw usage(`${file} is not an Ed25519 key (PEM).`, 'Make one: openssl genpkey -algorithm ed25519 -out FILE');
}

/** The nearest folder above that has a `.git`; undefined where there is none. */
async function workTreeOf(folder: string): Promise<string | undefined> {
  const found = await stat(path.join(folder, '.git')).then(
    () => true,
    () => false,
  );
  if (found) return folder;
  const above = path.dirname(folder);
  return above === folder ? undefined : workTreeOf(above);
}

/** Where the key is kept by default: with the user's settings, not in the folder of a project. */
function keyFileOf({ cwd, env }: Context, name: string | undefined): string {
  if (name !== undefined) return path.resolve(cwd, name);
  return path.join(
    env['XDG_CONFIG_HOME'] ?? path.join(env['HOME'] ?? homedir(), '.config'),
    'redkeep',
    'evidence-key.pem',
  );
}

/** The signing key: the one in the file, else a new one that is kept there for the next time. */
export async function signingKey(context: Context, name: string | undefined): Promise<KeyObject> {
  const { terminal } = context;
  const file = keyFileOf(context, name);
  try {
    return ed25519(await readFile(file, 'utf8'), file, createPrivateKey);
  } catch (error) {
    if (error instanceof CliError) throw error;
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw explainSystemError(error, file);
  }
  const tree = await workTreeOf(path.dirname(file));
  if (tree !== undefined)
    throw usage(
      `${file} is in the work tree ${tree}, where a signing key can be committed.`,
      'Keep it elsewhere: --evidence-key FILE.',
    );
  const { privateKey } = generateKeyPairSync('ed25519');
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw explainSystemError(error, file);
  }
  terminal.note(`made a signing key: ${file} (keep it; its fingerprint is ${keyFingerprint(privateKey)})`);
  return privateKey;
}

/** Writes the report, the redacted facts, their manifest and its signature into a folder of their own. */
export async function writeEvidence(context: Context, audited: Audited, options: EvidenceOptions): Promise<void> {
  if (options.evidence === undefined) return;
  const { result, facts, target } = audited;
  const folder = path.resolve(context.cwd, options.evidence);
  const existing = await readdir(folder).catch(() => []);
  if (existing.length > 0) throw usage(`${folder} is not empty.`, 'Evidence is never overwritten: name a new folder.');
  const key = await signingKey(context, options.evidenceKey);
  const endpoints = [...target.endpoints, ...(target.operators ?? [])];
  const files = sealBundle(
    {
      'report.json': renderJson(result),
      'report.html': renderHtml(result),
      'findings.sarif': renderSarif(result, context.cwd),
      'facts.json': redactedFacts(facts),
    },
    { tool: result.tool, createdAt: result.observedAt, target: result.target, grade: result.grade },
    key,
    endpoints.flatMap(({ password, key: pem }) => [password ?? '', ...(pem?.split('\n').slice(1, 2) ?? [])]),
  );
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files))
      await writeFile(path.join(folder, name), content, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    throw explainSystemError(error, folder);
  }
  context.terminal.note(`wrote evidence to ${folder}, signed by key ${keyFingerprint(key)}`);
}

export interface VerifyOptions {
  readonly publicKey?: string;
  readonly fingerprint?: string;
}

/**
 * `redkeep audit verify FOLDER`: whether every byte is as it was signed, and the key that signed. Who the signer is has to be known
 * from elsewhere: a key that only the folder itself brings proves nothing about its origin.
 */
export async function verifyEvidence(context: Context, name: string, options: VerifyOptions): Promise<void> {
  const { cwd, terminal } = context;
  const folder = path.resolve(cwd, name);
  const read = (file: string) =>
    readFile(file).catch((error: unknown) => {
      throw explainSystemError(error, file);
    });
  const names = await readdir(folder).catch((error: unknown) => {
    throw explainSystemError(error, folder);
  });
  const files = new Map<string, Buffer>();
  for (const file of names) files.set(file, await read(path.join(folder, file)));
  const keyFile =
    options.publicKey === undefined ? path.join(folder, publicKeyFile) : path.resolve(cwd, options.publicKey);
  const key = ed25519((await read(keyFile)).toString('utf8'), keyFile, createPublicKey);
  const fingerprint = keyFingerprint(key);
  const { manifest, flaws } = flawsOf(files, key);
  if (options.fingerprint !== undefined && options.fingerprint.toLowerCase() !== fingerprint) {
    context.exitCode = ExitCode.Findings;
    return terminal.line(`NOT GENUINE: signed by key ${fingerprint}, not by ${options.fingerprint}`);
  }
  if (!manifest || flaws.length > 0) {
    context.exitCode = ExitCode.Findings;
    for (const flaw of flaws) terminal.line(`NOT GENUINE: ${flaw}`);
    return;
  }
  terminal.line(`${manifest.files.length} files are as they were signed on ${manifest.createdAt}`);
  terminal.line(`${gradeText(manifest)}: ${manifest.target}, by redkeep ${manifest.tool.version}`);
  terminal.line(`Key ${fingerprint}`);
  if (options.publicKey !== undefined || options.fingerprint !== undefined) return;
  context.exitCode = ExitCode.Incomplete;
  terminal.note(
    'Who that key belongs to is not known from here: compare it with what the signer says, or give --public-key FILE or --fingerprint HEX.',
  );
}
