import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Context } from '../../context.js';
import { CliError, explainSystemError } from '../../errors.js';

/** What `defineKeyspaces` of `@redkeep/guard` gives, as far as it is needed here. */
interface Keyspaces {
  aclLines(options: { readonly cluster: boolean }): readonly string[];
}

export interface AclKeyspacesOptions {
  readonly cluster?: boolean;
  /** `user=file`, each. */
  readonly passwordFile?: readonly string[];
}

/** Prints the lines of an ACL file for the key spaces that a module of the application exports. */
export async function aclKeyspaces(context: Context, module: string, options: AclKeyspacesOptions): Promise<void> {
  const lines = await linesOf(path.resolve(context.cwd, module), options.cluster === true);
  const hashes = await passwordHashes(context, options.passwordFile ?? []);
  const users = lines.map(userOf);
  const twice = users.find((user, at) => users.indexOf(user) !== at);
  if (twice !== undefined)
    throw new CliError(
      'REDKEEP_USAGE',
      `The user ${twice} is in two sets of key spaces.`,
      'Define the key spaces of one user in one call of defineKeyspaces: an ACL file has one line for a user.',
    );
  for (const user of hashes.keys()) {
    if (!users.includes(user))
      throw new CliError(
        'REDKEEP_USER_UNKNOWN',
        `No key space is for the user ${user}.`,
        'Name a user of a key space.',
      );
  }
  for (const line of lines) {
    const user = userOf(line);
    const hash = hashes.get(user);
    context.terminal.line(hash === undefined ? line : line.replace(' on ', ` on #${hash} `));
    if (hash === undefined) context.terminal.warn(`${user} has no password yet and cannot log in: --password-file`);
  }
}

async function linesOf(file: string, cluster: boolean): Promise<string[]> {
  let exported: Record<string, unknown>;
  try {
    exported = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  } catch (cause) {
    throw new CliError(
      'REDKEEP_USAGE',
      `${file} could not be loaded: ${cause instanceof Error ? cause.message : cause}`,
      'Name a JavaScript module (compile TypeScript first) that exports what defineKeyspaces returned.',
      { cause },
    );
  }
  const lines = Object.values(exported)
    .filter(isKeyspaces)
    .flatMap((keyspaces) => keyspaces.aclLines({ cluster }));
  if (lines.length > 0) return lines;
  throw new CliError(
    'REDKEEP_USAGE',
    `${file} exports no key spaces that name a user.`,
    'Export what defineKeyspaces returned, and give its spaces a user.',
  );
}

function userOf(line: string): string {
  return line.split(' ', 2)[1] ?? '';
}

function isKeyspaces(value: unknown): value is Keyspaces {
  return typeof (value as Keyspaces | null)?.aclLines === 'function';
}

/** SHA-256 of each password, as ACL files have it: the password itself is neither printed nor an argument. */
async function passwordHashes(context: Context, given: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>();
  for (const pair of given) {
    const [, user, file] = /^([\w.-]+)=(.+)$/.exec(pair) ?? [];
    if (user === undefined || file === undefined)
      throw new CliError('REDKEEP_USAGE', `--password-file ${pair} is not understood.`, 'Write it as user=file.');
    const name = path.resolve(context.cwd, file);
    const password = await readFile(name, 'utf8').catch((error: unknown) => {
      throw explainSystemError(error, name);
    });
    const text = password.replace(/\r?\n$/, '');
    if (text.length < 16)
      throw new CliError(
        'REDKEEP_USAGE',
        `The password of ${user} is shorter than 16 characters.`,
        'Use a longer one.',
      );
    hashes.set(user, createHash('sha256').update(text).digest('hex'));
  }
  return hashes;
}
