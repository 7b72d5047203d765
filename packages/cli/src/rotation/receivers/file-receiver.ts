import path from 'node:path';
import { replaceFile } from '../../files/replace-file.js';
import type { SecretReceiver } from '../secret-receivers.js';

/** One file a user, `NAME`, mode 0600, replaced as a whole: what containers mount below /run/secrets. */
export function fileReceiver(folder: string): SecretReceiver {
  return {
    name: 'files',
    async put({ user, password, stage }) {
      if (stage === 'current') await replaceFile(path.join(folder, user), password);
    },
  };
}
