import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { readIfPresent } from '../../files/read-if-present.js';
import { replaceFile } from '../../files/replace-file.js';

const signerFile = 'signer.key';

/** The key that signs what this writer did; made at its first start, for this user alone. */
export async function loadSigner(folder: string): Promise<KeyObject> {
  const file = path.join(folder, signerFile);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const known = await readIfPresent(file);
  if (known !== undefined) return createPrivateKey(known);
  const { privateKey } = generateKeyPairSync('ed25519');
  await replaceFile(file, privateKey.export({ format: 'pem', type: 'pkcs8' }));
  return createPrivateKey(await readFile(file));
}
