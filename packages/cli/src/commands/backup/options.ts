import path from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { loadSigner } from '../../backup/archive/state-folder.js';
import { publicKeyText } from '../../backup/format/signed.js';
import { openStore } from '../../backup/store/open-store.js';
import type { Store } from '../../backup/store/store.js';
import type { Context } from '../../context.js';
import { readState, resolveFolder } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';

export interface StoreOptions {
  readonly dir?: string;
  readonly config?: string;
  readonly store?: string;
  readonly source?: string;
  readonly state?: string;
  readonly lockDays?: string | number;
}

export interface ReadOptions extends StoreOptions {
  readonly identity?: readonly string[];
  readonly trust?: readonly string[];
  readonly json?: boolean;
}

/** What `backup.json` may hold: flags that every command would repeat. */
const configSchema = z.strictObject({
  store: z.string().optional(),
  source: z.string().optional(),
  state: z.string().optional(),
  recipients: z.array(z.string()).optional(),
  trust: z.array(z.string()).optional(),
  lockDays: z.number().optional(),
});
export type BackupConfig = z.infer<typeof configSchema>;

export function withStoreOptions(command: Command): Command {
  return command
    .option('-d, --dir <folder>', "the deployment's folder (default: here, else ./redkeep)")
    .option('--config <file>', 'defaults for these flags (default: backup/backup.json of the deployment)')
    .option('--store <where>', 'a folder, s3://bucket/prefix, rclone:remote:path, or command:program')
    .option('--source <name>', "the backup's name (default: the deployment's)")
    .option(
      '--state <folder>',
      'keys and spool of this host (default: backup/state of the deployment, else ~/.local/state/redkeep/backup)',
    );
}

/** Flags that name servers which are not of a deployment. */
export function withServerOptions(command: Command): Command {
  return command
    .option('--from <urls...>', 'servers instead of a deployment; one URL list (comma) a shard')
    .option('--user <name>', 'with --from: the user (default: default)')
    .option('--password-file <file>', 'with --from: a file with its password')
    .option('--admin-user <name>', 'with --from: a user that may run INFO and CLIENT PAUSE (default: that one)')
    .option('--admin-password-file <file>', 'with --from: a file with its password')
    .option('--ca-file <file>', 'with --from: the CA of the servers')
    .option('--cert-file <file>', 'with --from: a client certificate')
    .option('--key-file <file>', 'with --from: its key')
    .option('--allow-plaintext', 'with --from: redis:// to another host than this one');
}

export function withSourceOptions(command: Command): Command {
  return withServerOptions(withStoreOptions(command))
    .option('--recipient <age-key...>', 'public keys (age1…) whose identities open the backup')
    .option('--lock-days <days>', 's3://: nobody can remove an object for so long (object lock, probed first)')
    .option('--on-primary', 'follow a primary although it counts or announces its replicas');
}

export function withReadOptions(command: Command): Command {
  return withStoreOptions(command)
    .option('--identity <file...>', 'files with age identities (AGE-SECRET-KEY-1…)')
    .option('--trust <key...>', 'public keys of the writers to trust (default: those of this host)')
    .option('--json', 'print JSON');
}

/** Store, names and keys of a command, from its flags and `backup.json`. */
export class BackupEnvironment {
  readonly store: Store;
  readonly config: BackupConfig;
  readonly source: string | undefined;
  readonly stateFolder: string;

  private constructor(store: Store, config: BackupConfig, source: string | undefined, stateFolder: string) {
    this.store = store;
    this.config = config;
    this.source = source;
    this.stateFolder = stateFolder;
  }

  static async open(context: Context, options: StoreOptions): Promise<BackupEnvironment> {
    const folder = await resolveFolder(context, options.dir);
    const file =
      options.config === undefined
        ? path.join(folder, 'backup', 'backup.json')
        : path.resolve(context.cwd, options.config);
    const config = readConfig(file, await readIfPresent(file), options.config !== undefined);
    const spec = options.store ?? config.store;
    if (spec === undefined) {
      throw new CliError(
        'REDKEEP_USAGE',
        'No store is named.',
        'Name one with --store, for example --store /mnt/backup.',
      );
    }
    // A service has no working folder: what the file names is relative to the file.
    const from = (given: string | undefined) => (given === undefined ? path.dirname(file) : context.cwd);
    const lockDays = lockDaysOf(options.lockDays ?? config.lockDays);
    const store = await openStore(spec, { cwd: from(options.store), env: context.env, lockDays });
    const state = options.state ?? config.state;
    const stateFolder =
      state === undefined ? await defaultState(context, folder) : path.resolve(from(options.state), state);
    return new BackupEnvironment(store, config, options.source ?? config.source, stateFolder);
  }

  /** A state folder of a command that writes: each has a chain, a key and a lock of its own. */
  stateOf(command: 'run' | 'archive' | 'safety' | 'prove' | 'expire' | 'restore'): string {
    return path.join(this.stateFolder, command);
  }

  /** Public keys that are trusted: those named, else those of this host. */
  async trusted(named: readonly string[] | undefined): Promise<readonly string[]> {
    const given = [...(named ?? []), ...(this.config.trust ?? [])];
    for (const command of ['run', 'archive', 'expire', 'prove'] as const) {
      const known = await readIfPresent(path.join(this.stateOf(command), 'signer.key'));
      if (known !== undefined) given.push(publicKeyText(await loadSigner(this.stateOf(command))));
    }
    return [...new Set(given)];
  }

  recipients(named: readonly string[] | undefined): readonly string[] {
    const recipients = named ?? this.config.recipients ?? [];
    const wrong = recipients.find((recipient) => !/^age1[0-9a-z]+$/.test(recipient));
    if (wrong === undefined && recipients.length > 0) return recipients;
    throw new CliError(
      'REDKEEP_BACKUP_KEY_WRONG',
      wrong === undefined
        ? 'Nobody is named who could open the backup.'
        : 'A recipient is not an age public key (age1…).',
      'Make a key with "redkeep backup key new", and name its public half with --recipient.',
    );
  }
}

/** In the deployment; where there is none, where programs keep their state, so that `init` finds its folder empty. */
async function defaultState({ env, cwd }: Context, folder: string): Promise<string> {
  if (await readState(folder)) return path.join(folder, 'backup', 'state');
  const home = env['XDG_STATE_HOME'] || path.join(env['HOME'] || cwd, '.local', 'state');
  return path.join(home, 'redkeep', 'backup');
}

function lockDaysOf(value: string | number | undefined): number | undefined {
  if (value === undefined) return undefined;
  const days = Number(value);
  if (days > 0 && days <= 36_500) return days;
  throw new CliError('REDKEEP_USAGE', '--lock-days is not a number of days.', 'For example --lock-days 30.');
}

function readConfig(file: string, text: string | undefined, named: boolean): BackupConfig {
  if (text === undefined && !named) return {};
  try {
    return configSchema.parse(JSON.parse(text ?? ''));
  } catch (error) {
    throw new CliError(
      'REDKEEP_USAGE',
      `${file} is not a backup configuration.`,
      'See docs/backup.md, "Configuration".',
      {
        cause: error,
      },
    );
  }
}

/** The identities in the files named: a line each, comments begin with `#`, as age-keygen writes them. */
export async function readIdentities(context: Context, files: readonly string[] | undefined): Promise<string[]> {
  const identities: string[] = [];
  for (const name of files ?? []) {
    const file = path.resolve(context.cwd, name);
    const text = await readIfPresent(file);
    const found = (text ?? '')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => /^AGE-SECRET-KEY-/.test(line));
    if (found.length === 0) {
      throw new CliError(
        'REDKEEP_BACKUP_KEY_WRONG',
        `${file} holds no age identity.`,
        'Check the path; docs/backup.md.',
      );
    }
    identities.push(...found);
  }
  if (identities.length > 0) return identities;
  throw new CliError(
    'REDKEEP_BACKUP_KEY_WRONG',
    'No identity is named, and the backup is encrypted.',
    'Name the file with the identity with --identity.',
  );
}
