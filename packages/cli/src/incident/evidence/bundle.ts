import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { keyFingerprint } from '../../audit/evidence/bundle.js';
import { ageEncrypt } from '../../backup/age/age-encrypt.js';
import { CliError, explainSystemError } from '../../errors.js';
import { createFile } from '../../files/create-file.js';
import { version } from '../../version.js';
import type { Redactor } from './redactor.js';
import { verifyScript } from './verify-script.js';

export const chainFile = 'chain.jsonl';
export const sumsFile = 'SHA256SUMS';
export const signatureFile = 'SHA256SUMS.sig';
export const publicKeyFile = 'public-key.pem';
export const timestampFile = 'SHA256SUMS.tsr';
export const timestampQueryFile = 'SHA256SUMS.tsq';
const scriptFile = 'verify.sh';

const hash = z.string().regex(/^[0-9a-f]{64}$/);

/** A line of the chain: the head, an artefact, or the end. Each holds the SHA-256 of the line before it. */
const link = z.object({ seq: z.int().min(0), previous: hash.nullable(), kind: z.enum(['head', 'artefact', 'end']) });

/** When something was read, by the clock of this machine and by the server's. */
export interface Times {
  readonly started: string;
  readonly ended: string;
  /** The server's TIME before and after; null where the server may not be asked or is not involved. */
  readonly serverStarted: string | null;
  readonly serverEnded: string | null;
}

export interface ArtefactRecord extends Times {
  /** Stable name: `clients`. */
  readonly id: string;
  /** `10.0.0.5:6379`, or `host` for what was read on its machine. */
  readonly source: string;
  /** The command or file that was read. */
  readonly what: string;
  /** `ok`, or why there is nothing. */
  readonly outcome: string;
}

/**
 * A folder of evidence that grows artefact by artefact. Each is on disk, and in the chain, before the next is read, so
 * that what was collected until a crash is still there; it is signed at its end.
 *
 * Verified with openssl alone: the signature covers `SHA256SUMS`, which covers every file and the chain.
 */
export class EvidenceBundle {
  readonly folder: string;
  readonly #recipients: readonly string[];
  readonly #redactor: Redactor;
  readonly #key: KeyObject;
  readonly #sums = new Map<string, string>();
  #previous: string | null = null;
  #seq = 0;

  private constructor(folder: string, recipients: readonly string[], redactor: Redactor, key: KeyObject) {
    this.folder = folder;
    this.#recipients = recipients;
    this.#redactor = redactor;
    this.#key = key;
  }

  /** Begins one in a folder that must not exist. */
  static async begin(
    folder: string,
    about: { readonly target: string; readonly collector: string; readonly now: Date },
    parts: { readonly recipients: readonly string[]; readonly redactor: Redactor; readonly key: KeyObject },
  ): Promise<EvidenceBundle> {
    try {
      await mkdir(path.dirname(folder), { recursive: true, mode: 0o700 });
      await mkdir(folder, { mode: 0o700 });
      await mkdir(path.join(folder, 'artefacts'), { mode: 0o700 });
    } catch (error) {
      throw explainSystemError(error, folder);
    }
    const bundle = new EvidenceBundle(folder, parts.recipients, parts.redactor, parts.key);
    await bundle.#append('head', {
      schema: 'urn:redkeep:schema:incident-evidence-1',
      tool: { name: 'redkeep', version },
      createdAt: about.now.toISOString(),
      target: about.target,
      collector: about.collector,
      key: { algorithm: 'Ed25519', fingerprint: keyFingerprint(parts.key) },
      sealedTo: parts.recipients,
    });
    return bundle;
  }

  /** Number of artefacts so far. */
  get artefacts(): number {
    return Math.max(0, this.#seq - 1);
  }

  /**
   * Keeps an artefact, sealed to the recipients where there are any.
   * @throws where a secret of the server is in it: a bundle that leaks must not exist.
   */
  async add(record: ArtefactRecord, content: string | undefined): Promise<void> {
    if (content === undefined) return this.#append('artefact', { ...record, file: null });
    if (this.#redactor.leaks(content)) {
      const outcome = 'left out: a secret of the server would be in it';
      return this.#append('artefact', { ...record, outcome, file: null });
    }
    const plain = Buffer.from(content);
    const sealed = this.#recipients.length > 0;
    const number = String(this.#seq).padStart(3, '0');
    const name = `artefacts/${number}-${record.source.replace(/[^\w.-]/g, '_')}-${record.id}.txt${sealed ? '.age' : ''}`;
    const stored = sealed ? await seal(plain, this.#recipients) : plain;
    await this.#write(name, stored);
    await this.#append('artefact', {
      ...record,
      file: name,
      bytes: stored.length,
      sha256: sha256(stored),
      ...(sealed && { plainBytes: plain.length, plainSha256: sha256(plain) }),
    });
  }

  /** Keeps a file that somebody else wrote into the folder, for example a sealed copy of the data. */
  async addWritten(record: ArtefactRecord, name: string, about: { bytes: number; sha256: string }): Promise<void> {
    this.#sums.set(name, about.sha256);
    await this.#append('artefact', { ...record, file: name, ...about });
  }

  /** Ends the chain, and signs. Returns the bytes that are signed, for a timestamp. */
  async finish(now: Date): Promise<Buffer> {
    await this.#append('end', { artefacts: this.artefacts, endedAt: now.toISOString() });
    await this.#write(
      publicKeyFile,
      Buffer.from(createPublicKey(this.#key).export({ type: 'spki', format: 'pem' }) as string),
    );
    await this.#write(scriptFile, Buffer.from(verifyScript));
    this.#sums.set(chainFile, sha256(await readFile(path.join(this.folder, chainFile))));
    const names = [...this.#sums.keys()].sort();
    const sums = Buffer.from(names.map((name) => `${this.#sums.get(name)}  ${name}\n`).join(''));
    await writeNew(path.join(this.folder, sumsFile), sums);
    await writeNew(path.join(this.folder, signatureFile), sign(null, sums, this.#key));
    return sums;
  }

  async #write(name: string, content: Buffer): Promise<void> {
    await writeNew(path.join(this.folder, name), content);
    this.#sums.set(name, sha256(content));
  }

  async #append(kind: 'head' | 'artefact' | 'end', body: object): Promise<void> {
    const line = JSON.stringify({ seq: this.#seq, previous: this.#previous, kind, ...body });
    await appendFile(path.join(this.folder, chainFile), `${line}\n`, { mode: 0o600, flush: true });
    this.#previous = sha256(line);
    this.#seq += 1;
  }
}

/** What is wrong with a bundle; empty when every byte is as it was signed. */
export async function flawsOfBundle(
  folder: string,
  publicKey: KeyObject,
): Promise<{ readonly flaws: readonly string[]; readonly artefacts: number; readonly createdAt: string }> {
  const read = (name: string) => readFile(path.join(folder, name)).catch(() => undefined);
  const [sums, signature, chain] = [await read(sumsFile), await read(signatureFile), await read(chainFile)];
  const nothing = { artefacts: 0, createdAt: '' };
  const missing = Object.entries({ [chainFile]: chain, [sumsFile]: sums, [signatureFile]: signature })
    .filter(([, content]) => content === undefined)
    .map(([name]) => `${name} is missing: the collection did not come to its end`);
  if (!sums || !signature || !chain) return { ...nothing, flaws: missing };
  if (!verify(null, sums, publicKey, signature))
    return { ...nothing, flaws: [`the signature is not of this key and ${sumsFile}`] };
  const listed = new Map(
    sums
      .toString()
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(66), line.slice(0, 64)] as const),
  );
  const flaws: string[] = [];
  for (const [name, expected] of listed) {
    const content = await read(name);
    if (content === undefined) flaws.push(`${name} is missing`);
    else if (sha256(content) !== expected) flaws.push(`${name} was changed`);
  }
  const known = new Set([...listed.keys(), sumsFile, signatureFile, timestampFile, timestampQueryFile]);
  const present = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of present.filter((each) => each.isFile())) {
    const name = path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name));
    if (!known.has(name)) flaws.push(`${name} was added`);
  }
  const lines = chain.toString().split('\n').slice(0, -1);
  flaws.push(...brokenLinks(lines));
  const head = (parsedLine(lines[0] ?? '') ?? {}) as { readonly createdAt?: string };
  const artefacts = lines.filter((line) => line.includes('"kind":"artefact"')).length;
  return { flaws, artefacts, createdAt: head.createdAt ?? '' };
}

/** Undefined where somebody has written over it. */
function parsedLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function brokenLinks(lines: readonly string[]): string[] {
  const flaws: string[] = [];
  let previous: string | null = null;
  for (const [index, line] of lines.entries()) {
    const parsed = link.safeParse(parsedLine(line));
    if (!parsed.success || parsed.data.seq !== index || parsed.data.previous !== previous)
      flaws.push(`line ${index + 1} of ${chainFile} does not follow the one before`);
    previous = sha256(line);
  }
  if (!lines.at(-1)?.includes('"kind":"end"')) flaws.push(`${chainFile} has no end`);
  return flaws;
}

async function seal(content: Buffer, recipients: readonly string[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of Readable.from([content]).pipe(await ageEncrypt(recipients))) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

async function writeNew(file: string, content: Buffer): Promise<void> {
  try {
    await createFile(file, content);
  } catch (error) {
    throw explainSystemError(error, file);
  }
}

/** Writes what a time-stamping authority returned; both files verify the signed bytes, and neither is signed itself. */
export async function keepTimestamp(folder: string, query: Buffer, reply: Buffer): Promise<void> {
  await writeFile(path.join(folder, timestampQueryFile), query, { mode: 0o600, flag: 'wx' });
  await writeFile(path.join(folder, timestampFile), reply, { mode: 0o600, flag: 'wx' });
}

/** Refuses recipients that are not age public keys. */
export function checkedRecipients(recipients: readonly string[]): readonly string[] {
  if (recipients.every((recipient) => /^age1[0-9a-z]+$/.test(recipient))) return recipients;
  throw new CliError(
    'REDKEEP_BACKUP_KEY_WRONG',
    'A recipient is not an age public key (age1…).',
    'Make a key with "redkeep backup key new", and name its public half with --recipient.',
  );
}
