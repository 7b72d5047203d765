import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { CliError, explainSystemError } from '../errors.js';
import { appendLine } from '../files/append-line.js';
import { createFile } from '../files/create-file.js';
import { readIfPresent } from '../files/read-if-present.js';

/** The steps of a migration, in their order. */
export const stepIds = [
  'backup',
  'tls',
  'users',
  'replication',
  'hand-over',
  'brown-out',
  'close-default',
  'close-plaintext',
  'prove',
] as const;
export type StepId = (typeof stepIds)[number];

const userSchema = z.strictObject({
  name: z.string(),
  rules: z.array(z.string()),
  /** Relative to the migration's folder. */
  passwordFile: z.string(),
});
export type MigrationUser = z.infer<typeof userSchema>;

const nodeSchema = z.strictObject({
  host: z.string(),
  port: z.number().int(),
  tlsPort: z.number().int(),
  role: z.enum(['primary', 'replica']),
  /** Folder on the node's own machine that holds its certificate, key and CA. */
  serverFolder: z.string(),
  /** True when that machine is this one, and the files can be put there. */
  local: z.boolean(),
  /** User and group of the server's process, where it is local. */
  owner: z.strictObject({ uid: z.number(), gid: z.number() }).optional(),
  /** The configuration file that CONFIG REWRITE writes; empty when the server was started without one. */
  configFile: z.string(),
  /** What was set before the first step, for the way back. */
  before: z.record(z.string(), z.string()),
  /** The default user's line of ACL LIST before the first step. Holds hashes, never passwords. */
  defaultUser: z.string(),
});
export type MigrationNode = z.infer<typeof nodeSchema>;

const schema = z.strictObject({
  format: z.literal(1),
  createdAt: z.string(),
  engine: z.string(),
  version: z.string(),
  /** User that the given credentials belong to, and the file with its password. */
  given: z.strictObject({ user: z.string().optional(), passwordFile: z.string().optional() }),
  nodes: z.array(nodeSchema),
  users: z.array(userSchema),
  /** Commands seen that the application's user is not granted, because they belong to administrators. */
  withheld: z.array(z.string()),
  watchSeconds: z.number(),
});
export type MigrationPlan = z.infer<typeof schema>;

export interface MigrationEvent {
  readonly at: string;
  readonly step: StepId;
  readonly state: 'begun' | 'done' | 'undo-begun' | 'undone' | 'rolled-back';
  readonly detail?: string;
}

/**
 * A migration's folder: the plan that was reviewed, a journal that is on disk before each step is taken, the CA, the
 * certificates and the passwords. The folder can be copied to another machine, which can then go on or take back. Mode
 * 0700, files 0600.
 */
export class Migration {
  readonly folder: string;
  readonly plan: MigrationPlan;
  #events: readonly MigrationEvent[];

  private constructor(folder: string, plan: MigrationPlan, events: readonly MigrationEvent[]) {
    this.folder = folder;
    this.plan = plan;
    this.#events = events;
  }

  static async create(folder: string, plan: MigrationPlan): Promise<Migration> {
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeSecret(path.join(folder, 'migration.json'), `${JSON.stringify(schema.parse(plan), null, 2)}\n`);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST')
        throw new CliError(
          'REDKEEP_FOLDER_NOT_EMPTY',
          `${folder} holds a migration already.`,
          'Go on with "redkeep migrate next", or choose another folder with --dir.',
        );
      throw explainSystemError(error, folder);
    }
    return new Migration(folder, plan, []);
  }

  static async load(folder: string): Promise<Migration> {
    const text = await readIfPresent(path.join(folder, 'migration.json'));
    if (text === undefined)
      throw new CliError(
        'REDKEEP_NO_DEPLOYMENT',
        `There is no migration in ${folder}.`,
        'Begin one: redkeep migrate redis://HOST:PORT',
      );
    const plan = schema.safeParse(parseJson(text));
    if (!plan.success)
      throw new CliError(
        'REDKEEP_DEPLOYMENT_UNREADABLE',
        `${folder}/migration.json is not a plan of a migration.`,
        'Take the file from a backup of the folder: it holds what "undo" needs.',
      );
    const journal = (await readIfPresent(path.join(folder, 'journal.jsonl'))) ?? '';
    return new Migration(folder, plan.data, readEvents(journal));
  }

  file(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts);
  }

  get events(): readonly MigrationEvent[] {
    return this.#events;
  }

  /** The last thing that happened with a step; `undefined` before its first. */
  stateOf(step: StepId): MigrationEvent['state'] | undefined {
    return this.#events.findLast((event) => event.step === step)?.state;
  }

  isDone(step: StepId): boolean {
    return this.stateOf(step) === 'done';
  }

  /** The first step that is not done; `undefined` when all are. */
  next(): StepId | undefined {
    return stepIds.find((step) => !this.isDone(step));
  }

  /** Steps that may have changed something, newest first: the order in which they are taken back. */
  taken(): StepId[] {
    const inEffect = ['begun', 'done', 'undo-begun'];
    return stepIds.filter((step) => inEffect.includes(this.stateOf(step) ?? '')).reverse();
  }

  /** Writes an event to disk before it returns. */
  async record(step: StepId, state: MigrationEvent['state'], at: Date, detail?: string): Promise<void> {
    const event: MigrationEvent = { at: at.toISOString(), step, state, ...(detail !== undefined && { detail }) };
    await appendLine(this.file('journal.jsonl'), JSON.stringify(event));
    this.#events = [...this.#events, event];
  }

  async passwordOf(user: MigrationUser): Promise<string> {
    return (await readFile(this.file(user.passwordFile), 'utf8')).trimEnd();
  }
}

/** Writes a file that did not exist, 0600, and waits until it is on disk. */
export async function writeSecret(file: string, text: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await createFile(file, text);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readEvents(text: string): MigrationEvent[] {
  return text.split('\n').flatMap((line) => {
    const event = line.trim() === '' ? undefined : (parseJson(line) as MigrationEvent | undefined);
    return event === undefined ? [] : [event];
  });
}
