import { type FileHandle, open } from 'node:fs/promises';
import { GuardError } from '../../errors.js';
import { anObject, argument, checked, flag, MAX_TIMER_MS, number, type Schema, text } from '../../options.js';
import { type Awaitable, type KeyMaterial, type KeyRing, LoadedKeyRing, parseKeyLines } from '../key-ring.js';
import { isSecretVolume } from './secret-volume.js';

/**
 * Keys given as values, newest first: the first seals, all open.
 *
 * @example const keys = keysFromValue([process.env.NEW_KEY!, process.env.OLD_KEY!]);
 */
export function keysFromValue(keys: KeyMaterial | readonly KeyMaterial[]): KeyRing {
  if (typeof keys !== 'string' && !(keys instanceof Uint8Array) && !Array.isArray(keys))
    throw new GuardError('REDKEEP_ENCRYPTION_KEY', 'neither text nor bytes');
  const materials = typeof keys === 'string' ? parseKeyLines(keys) : keys instanceof Uint8Array ? [keys] : keys;
  const ring = new LoadedKeyRing(() => materials);
  ring.accept(materials);
  return ring;
}

/**
 * Keys from an environment variable, newest first, separated by commas or line ends. The variable is read once: an
 * environment does not change under a running process.
 */
export function keysFromEnv(name = 'REDKEEP_ENCRYPTION_KEYS', env: NodeJS.ProcessEnv = process.env): KeyRing {
  argument(name, 'name', text);
  const found = argument(env, 'env', anObject)[name];
  if (found === undefined || found.trim() === '')
    throw new GuardError('REDKEEP_ENCRYPTION_KEY', `environment variable ${name} is not set`);
  return keysFromValue(parseKeyLines(found));
}

/** Options of {@link keysFromFile}. */
export interface KeyFileOptions {
  /** Milliseconds between looks at the file; a rotated file is picked up without a restart. Default 10,000. */
  readonly checkEveryMs?: number;
  /** Accept a file that other users of the machine can read. */
  readonly dangerouslyAllowWorldReadable?: boolean;
}

const KEY_FILE: Schema<KeyFileOptions> = {
  checkEveryMs: number(0, MAX_TIMER_MS),
  dangerouslyAllowWorldReadable: flag,
};
const ADVICE =
  'the key file is open to every user: chmod 0600 it; for a Kubernetes secret set defaultMode 0400 and fsGroup, for a ' +
  'Swarm secret mode 0400 and uid';

/** Keys from a file, one per line, newest first, read again when it changes (Kubernetes secrets, systemd credentials). */
export function keysFromFile(path: string, given: KeyFileOptions = {}): KeyRing {
  const options = checked(given, KEY_FILE);
  return new LoadedKeyRing(
    async () => {
      let file: FileHandle | undefined;
      try {
        file = await open(path, 'r');
        // The mode is taken from the open file, so it cannot be exchanged between look and read.
        const { mode } = await file.stat();
        const writable = (mode & 0o002) !== 0;
        const readable = (mode & 0o005) !== 0 && !(await isSecretVolume(path));
        if ((writable || readable) && options.dangerouslyAllowWorldReadable !== true)
          throw new GuardError('REDKEEP_ENCRYPTION_KEY', ADVICE);
        return parseKeyLines(await file.readFile('utf8'));
      } finally {
        await file?.close();
      }
    },
    { maxAgeMs: options.checkEveryMs ?? 10_000 },
  );
}

/** Keys from a function of your own (a secrets manager), newest first, called again after `maxAgeMs` (default 5 min). */
export function keysFromCallback(
  load: () => Awaitable<readonly KeyMaterial[]>,
  options: { readonly maxAgeMs?: number } = {},
): KeyRing {
  const { maxAgeMs = 300_000 } = checked(options, { maxAgeMs: number(0, MAX_TIMER_MS) });
  return new LoadedKeyRing(load, { maxAgeMs });
}
