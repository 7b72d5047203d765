import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { RedkeepError } from '../errors.js';
import { checkOptions, either, fields, interval, is, required, type Schema, text } from '../options/rules.js';
import { type Credentials, type CredentialsSource, sameCredentials } from './credentials.js';
import { Secret } from './secret.js';

export interface FileOptions {
  /** File with the password alone; a trailing line end is dropped. */
  password: string;
  /** The user name, or the file that holds it. */
  username?: string | { file: string };
  /** Milliseconds between looks at the file; default 1000. Polling sees replaced links, as Kubernetes makes them. */
  pollIntervalMs?: number;
}

const SCHEMA = {
  password: required(text),
  username: either(
    is('string'),
    fields(() => ({ file: required(text) })),
  ),
  pollIntervalMs: interval,
} satisfies Schema & Record<keyof FileOptions, unknown>;

/**
 * User and password from files (container secrets), read at every connect and again when they change: live
 * connections then re-authenticate in place.
 * @throws InvalidOptionError
 * @throws RedkeepError REDKEEP_CREDENTIALS_UNAVAILABLE when a file cannot be read or is empty, at connect
 * @example
 * createClient({ credentialsProvider: fromFile({ username: 'app', password: '/run/secrets/redis_password' }) });
 */
export function fromFile(options: FileOptions): CredentialsSource {
  checkOptions(options, SCHEMA);
  const { username, password, pollIntervalMs = 1000 } = options;
  const files = [password, ...(typeof username === 'object' ? [username.file] : [])];
  const current = (): Credentials => ({
    username: typeof username === 'object' ? readText(username.file) : username,
    password: new Secret(readText(password)),
  });
  return {
    type: 'credentials-source',
    current,
    watch(onChange, onError) {
      let last = current();
      const look = () => {
        try {
          const now = current();
          if (sameCredentials(now, last)) return;
          last = now;
          onChange(now);
        } catch (error) {
          // The moment between removing and replacing a file; the next look sees the new one.
          onError(error as Error);
        }
      };
      for (const file of files) watchFile(file, { persistent: false, interval: pollIntervalMs }, look);
      return () => {
        for (const file of files) unwatchFile(file, look);
      };
    },
  };
}

function readText(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new RedkeepError(
      'REDKEEP_CREDENTIALS_UNAVAILABLE',
      `The credentials file ${file} cannot be read (${(error as NodeJS.ErrnoException).code})`,
    );
  }
  if (text === '') throw new RedkeepError('REDKEEP_CREDENTIALS_UNAVAILABLE', `The credentials file ${file} is empty`);
  return text;
}
