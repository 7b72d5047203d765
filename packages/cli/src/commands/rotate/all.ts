import { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { readIfPresent } from '../../files/read-if-present.js';
import { encryptionKeysAge } from '../../monitor/deployment-states.js';
import type { DirOption } from '../dir-option.js';
import {
  authorityJournal,
  certificatesDue,
  certificatesJournal,
  rotateAuthorityCommand,
  rotateCertificatesCommand,
} from './certificates.js';
import { encryptionFileOf, encryptionKeysJournal, rotateEncryptionKeysCommand } from './encryption-keys.js';
import { begunOf, requireUnfinished, requireYes, unfinishedOf } from './unfinished.js';
import { dueUsers, rotateUsersCommand, usersJournal } from './users.js';

export const allJournal = 'rotate-all';

export interface RotateAllFlags extends DirOption {
  readonly grace: number;
  readonly watch: number;
  readonly secrets?: string;
  readonly encryption?: string;
  readonly due?: boolean;
  readonly emergency?: boolean;
  readonly resume?: boolean;
  readonly abort?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
}

interface Part {
  readonly name: string;
  readonly journal: string;
  /** Whether something of it is due. */
  isDue(): Promise<boolean>;
  run(mode: { readonly dryRun?: boolean; readonly abort?: boolean }): Promise<void>;
}

/** What a run is to rotate; noted before anything else, so that what goes on with it rotates neither more nor less. */
interface Scope {
  readonly due: boolean;
  readonly parts: readonly string[];
}

const scopeStep = 'choose the parts';

/**
 * Every password, then the CA with every certificate, then guard's encryption keys; with `due`, what is due of them. Passwords
 * first: they are what leaks most, and take least time. Each part has its own journal; the one of `all` says which have ended. A
 * part that does not end stops the rest, and the next run goes on there.
 */
export async function rotateAllCommand(context: Context, options: RotateAllFlags): Promise<void> {
  const { terminal, clock } = context;
  if (options.due && options.emergency)
    throw new CliError(
      'REDKEEP_USAGE',
      '--due and --emergency exclude each other.',
      'In an emergency everything is rotated: leave --due out.',
    );
  const loaded = await loadDeployment(context, options.dir);
  const unfinished = await begunOf(loaded, allJournal, scopeStep);
  if (options.resume || options.abort) requireUnfinished(unfinished);
  const scope = (unfinished?.dataOf(scopeStep) as Scope | undefined) ?? (await scopeOf(context, loaded, options));
  const parts = (await partsOf(context, loaded, options, scope.due)).filter(({ name }) => scope.parts.includes(name));
  if (parts.length === 0) return terminal.done('Nothing is due.');
  if (options.dryRun) {
    for (const part of parts) await part.run({ dryRun: true });
    return;
  }
  if (unfinished && options.abort) return takeBack(context, loaded, parts, unfinished);
  const list = parts.map(({ name }) => name).join(', ');
  if (unfinished) terminal.note(`Going on with ${unfinished.id}, which has not ended.`);
  else await requireYes(context, options.yes, `Rotate ${scope.due ? 'what is due of ' : ''}${list}?`);
  const journal = unfinished ?? (await Journal.open(loaded.folder, allJournal, clock.now()));
  await journal.step(scopeStep, async () => undefined, scope);
  for (const part of parts) {
    const ended = await journal
      .step(part.name, () => runPart(loaded, part, journal, scope.due))
      .then(
        () => true,
        (error: unknown) => {
          if (error !== notEnded) throw error;
          return false;
        },
      );
    if (ended) continue;
    return terminal.warn(
      `${part.name} has not ended, so what comes after has not begun: run redkeep rotate all again, it goes on.`,
    );
  }
  await journal.finish('done');
  terminal.done(`Rotated: ${list}.`);
}

async function scopeOf(context: Context, loaded: LoadedDeployment, options: RotateAllFlags): Promise<Scope> {
  const { due = false } = options;
  const parts: string[] = [];
  for (const part of await partsOf(context, loaded, options, due))
    if (!due || (await part.isDue()) || (await unfinishedOf(loaded, part.journal))) parts.push(part.name);
  return { due, parts };
}

/** Leaves a step begun and not done. */
const notEnded = new Error('A part of the rotation has not ended.');

async function runPart(loaded: LoadedDeployment, part: Part, all: Journal, due: boolean): Promise<void> {
  const ofAll = ({ startedAt }: Journal) => startedAt >= all.startedAt;
  const unfinished = () => unfinishedOf(loaded, part.journal);
  const before = await unfinished();
  if (before === undefined) {
    // Killed after the part had ended and before it was noted here.
    const journals = await Journal.list(loaded.folder, part.journal);
    if (journals.some((journal) => ofAll(journal) && journal.outcome === 'done')) return;
  } else if (!ofAll(before)) {
    // What was begun before may be smaller than everything: it ends first.
    await part.run({});
    if (await unfinished()) throw notEnded;
    if (due && !(await part.isDue())) return;
  }
  await part.run({});
  if (await unfinished()) throw notEnded;
}

/** Takes back the part that has not ended. Parts that have ended stay: their old secrets are gone. */
async function takeBack(
  { terminal }: Context,
  loaded: LoadedDeployment,
  parts: readonly Part[],
  journal: Journal,
): Promise<void> {
  const stay = parts.filter(({ name }) => journal.isDone(name)).map(({ name }) => name);
  for (const part of parts) {
    const open = await unfinishedOf(loaded, part.journal);
    if (!open || open.startedAt < journal.startedAt) continue;
    await part.run({ abort: true });
    if (await unfinishedOf(loaded, part.journal)) return;
  }
  await journal.finish('undone');
  terminal.done(stay.length === 0 ? 'Taken back.' : `Taken back; what had ended stays rotated: ${stay.join(', ')}.`);
}

async function partsOf(
  context: Context,
  loaded: LoadedDeployment,
  options: RotateAllFlags,
  due: boolean,
): Promise<Part[]> {
  const { grace, watch, secrets, emergency = false } = options;
  const common = { watch, yes: true, ...(options.dir === undefined ? {} : { dir: options.dir }) };
  const delivered = { ...common, ...(secrets === undefined ? {} : { secrets }) };
  const now = context.clock.now().getTime();
  const parts: Part[] = [
    {
      name: 'passwords',
      journal: usersJournal,
      isDue: async () => (await dueUsers(context, loaded)).length > 0,
      run: (mode) => rotateUsersCommand(context, [], { ...delivered, ...mode, grace, emergency, all: !due }),
    },
  ];
  if (due)
    parts.push({
      name: 'certificates',
      journal: certificatesJournal,
      isDue: async () => {
        const { authority, certificates } = await certificatesDue(context, loaded);
        // A new CA issues every certificate again.
        return certificates && !authority;
      },
      run: (mode) => rotateCertificatesCommand(context, [], { ...common, ...mode }),
    });
  parts.push({
    name: 'the CA and its certificates',
    journal: authorityJournal,
    isDue: async () => (await certificatesDue(context, loaded)).authority,
    run: (mode) => rotateAuthorityCommand(context, { ...common, ...mode, grace: emergency ? 0 : grace }),
  });
  const encryption = encryptionFileOf(context, loaded, options.encryption);
  if (options.encryption !== undefined || (await readIfPresent(encryption)) !== undefined)
    parts.push({
      name: 'encryption keys',
      journal: encryptionKeysJournal,
      isDue: async () => (await encryptionKeysAge(loaded, now, encryption))?.overdue === true,
      // The grace stays in an emergency: a process without the new key could not read what is sealed with it.
      run: (mode) => rotateEncryptionKeysCommand(context, { ...delivered, ...mode, grace, encryption }),
    });
  return parts;
}
