import { createHash } from 'node:crypto';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { CliError } from '../../errors.js';
import { AgeDecrypt } from '../age/age-decrypt.js';
import type { ObjectRef } from '../format/entry.js';
import { isCompressed } from '../format/names.js';
import { ObjectMissing, type Store } from '../store/store.js';

/**
 * The content of an object: fetched, compared with the hash that its writer signed, decrypted and unpacked, in
 * constant memory. It rejects before its end where anything is wrong, so nothing may be made of a part.
 */
export async function* readContent(
  store: Store,
  ref: ObjectRef,
  identities: readonly string[],
): AsyncGenerator<Buffer> {
  const out = new PassThrough({ highWaterMark: 1024 * 1024 });
  const source = Readable.from(hashed(store, ref), { objectMode: false });
  const decrypt = new AgeDecrypt(identities);
  const done = isCompressed(ref.name)
    ? pipeline(source, decrypt, createGunzip({ chunkSize: 128 * 1024 }), out)
    : pipeline(source, decrypt, out);
  // The failure ends `out` as well, and is met there; the first stage's reason is the one that says what happened.
  done.catch((error) => out.destroy(error instanceof Error ? error : new Error(String(error))));
  try {
    for await (const part of out) yield part as Buffer;
    await done;
  } catch (error) {
    // A key that does not fit a header that was changed is not a wrong key: the hash of the whole object decides.
    if (error instanceof CliError && error.code === 'REDKEEP_BACKUP_KEY_WRONG') await readWhole(store, ref);
    throw isZlib(error) ? damaged(ref.name, 'it cannot be unpacked') : error;
  }
}

/** An object's bytes as they are stored; rejects at their end where they are not what was signed. */
export async function* hashed(store: Store, ref: ObjectRef): AsyncGenerator<Buffer> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const part of await store.get(ref.name)) {
      hash.update(part);
      bytes += part.length;
      yield part;
    }
  } catch (error) {
    throw error instanceof ObjectMissing ? damaged(ref.name, 'it is missing') : error;
  }
  if (bytes !== ref.bytes) throw damaged(ref.name, `it has ${bytes} bytes instead of ${ref.bytes}`);
  if (hash.digest('hex') !== ref.sha256) throw damaged(ref.name, 'it is not what was signed');
}

async function readWhole(store: Store, ref: ObjectRef): Promise<void> {
  for await (const part of hashed(store, ref)) void part;
}

export function damaged(name: string, what: string): CliError {
  return new CliError(
    'REDKEEP_BACKUP_DAMAGED',
    `${name}: ${what}.`,
    'Run "redkeep backup verify" for the extent; restore an earlier or later moment, or from another store.',
  );
}

function isZlib(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
