import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import { readIfPresent } from '../../files/read-if-present.js';

const signerFile = 'signer.key';

/** Writes a file so that after a crash either the old or the new content is there. */
export async function writeDurably(file: string, content: string | Buffer): Promise<void> {
  const part = `${file}.part`;
  const handle = await open(part, 'w', 0o600);
  try {
    await handle.writeFile(content);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(part, file);
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** The key that signs what this writer did; made at its first start, for this user alone. */
export async function loadSigner(folder: string): Promise<KeyObject> {
  const file = path.join(folder, signerFile);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readIfPresent(file);
  if (known !== undefined) return createPrivateKey(known);
  const { privateKey } = generateKeyPairSync('ed25519');
  await writeDurably(file, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  return createPrivateKey(await readFile(file));
}
