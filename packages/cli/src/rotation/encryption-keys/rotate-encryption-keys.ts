import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  Encryption,
  EnvelopeKeys,
  keysFromValue,
  localWrapper,
  PersonKeys,
  redisKeyStore,
  reencrypt,
} from '@redkeep/guard';
import type { Journal } from '../../apply/journal.js';
import type { Context } from '../../context.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import { stopIfInterrupted } from '../../interruption.js';
import { recordKeyRotation } from '../records-file.js';
import type { SecretReceiver } from '../secret-receivers.js';
import { refuseWhileTakenBack } from '../taking-back.js';
import { countSealed, type SealedCount } from './count-sealed.js';
import type { EncryptionFile } from './encryption-file.js';
import { keysOf, readKeyFile, ringText, writeKeyFile } from './key-file.js';
import { awaitReplicas, onPrimaries } from './on-primaries.js';

export interface RotateKeysOptions {
  /** How long applications have to read the ring, each time that it changes. */
  readonly graceMs: number;
  /** How long values are looked for that a process without the new ring seals, after the old key is gone. */
  readonly watchMs: number;
  readonly receivers: readonly SecretReceiver[];
}

/** What is left: with `sealed` 0 the rotation has ended. */
export interface KeysOutcome {
  readonly renewed: number;
  readonly rewrapped: number;
  readonly left: SealedCount;
}

const oldRing = 'old-ring';
const newKey = 'new-key';
const removed = 'remove the old keys';
const back = 'back: ';
/** Values of a process that has not yet read the ring can appear behind the scan. */
const passes = 3;

/**
 * Gives guard's ring a new key while applications work, in two steps, because a process can only open what it has the
 * key of: first the new key is added after the current one, so that every process can open; then it comes first, so that
 * it seals. Then everything is sealed anew, counted, and the old keys leave the ring when nothing is sealed with them.
 * Run again after a kill, it goes on and ends in the same state.
 */
export async function rotateEncryptionKeys(
  context: Context,
  loaded: LoadedDeployment,
  file: EncryptionFile,
  journal: Journal,
  options: RotateKeysOptions,
): Promise<KeysOutcome> {
  const deployments = await deploymentsOf(context, loaded, file);
  const step = stepsOf(context, journal);
  refuseWhileTakenBack(journal, 'encryption-keys');
  await step('keep the ring and make the new key', async () => {
    await journal.keep(oldRing, ringText(await readKeyFile(file.keyFile)));
    await journal.keep(newKey, ringText([randomBytes(32).toString('base64')]));
  });
  const { old, made } = await keysIn(journal, file);
  const put = (keys: readonly string[]) => putRing(loaded, file, [...old, made], keys, options.receivers);
  if (!journal.isDone(removed)) {
    await step('add the new key after the current one', () => put([...old, made]));
    await step('wait until every process can open with it', () => wait(context, options.graceMs));
    await step('put the new key first', () => put([made, ...old]));
    await step('wait until every process seals with it', () => wait(context, options.graceMs));
  }
  const outcome = await sealAnew(context, deployments, file, journal, { seals: [made, ...old], leaving: old });
  if (outcome.left.sealed > 0) return outcome;
  await awaitReplicas(context, deployments);
  await step(removed, async () => undefined);
  // Without a mark of its own: removing again what is gone changes nothing, and what came back goes again.
  await put([made]);
  // A process that has not read the ring seals with the old key until it does; its values would be lost to the others.
  await wait(context, options.watchMs);
  stopIfInterrupted(context.signal);
  const late = await countSealed(context, deployments, file, old);
  if (late.sealed > 0) {
    await put([made, ...old]);
    return { ...outcome, left: late };
  }
  // The old ring stays below the journal: backups of before cannot be read without it.
  await recordKeyRotation(loaded, file.name, context.clock.now());
  await rm(path.join(journal.folder, newKey), { force: true });
  await journal.finish('done');
  return { ...outcome, left: late };
}

/**
 * Takes a rotation back until the old keys have left the ring: they seal again, what the new key sealed is sealed
 * anew with them, and the new key leaves when nothing is sealed with it.
 */
export async function abortEncryptionKeys(
  context: Context,
  loaded: LoadedDeployment,
  file: EncryptionFile,
  journal: Journal,
  options: RotateKeysOptions,
): Promise<KeysOutcome> {
  if (journal.steps.some(({ step }) => step === removed))
    throw new CliError(
      'REDKEEP_USAGE',
      'The old keys have left the ring already.',
      'Let the rotation end: redkeep rotate encryption-keys. A new rotation gives a new key.',
    );
  const none = { looked: 0, sealed: 0, places: {} };
  if ((await journal.kept(newKey)) === undefined) {
    await journal.finish('undone');
    return { renewed: 0, rewrapped: 0, left: none };
  }
  const { old, made } = await keysIn(journal, file);
  const step = stepsOf(context, journal);
  await step(`${back}put the old keys first`, () =>
    putRing(loaded, file, [...old, made], [...old, made], options.receivers),
  );
  const sealing = journal.steps.some(({ step: name }) => name === 'put the new key first');
  if (sealing) await step(`${back}wait until every process seals with them`, () => wait(context, options.graceMs));
  const deployments = await deploymentsOf(context, loaded, file);
  const outcome = await sealAnew(context, deployments, file, journal, { seals: [...old, made], leaving: [made] });
  if (outcome.left.sealed > 0) return outcome;
  await awaitReplicas(context, deployments);
  await step(`${back}remove the new key`, () => putRing(loaded, file, [...old, made], old, options.receivers));
  await rm(path.join(journal.folder, newKey), { force: true });
  await journal.finish('undone');
  return outcome;
}

/** Every deployment with something under the ring: this one first, then those that the file names. */
export async function deploymentsOf(
  context: Context,
  loaded: LoadedDeployment,
  file: EncryptionFile,
): Promise<LoadedDeployment[]> {
  const others = file.deployments.filter((folder) => folder !== loaded.folder);
  return [loaded, ...(await Promise.all(others.map((folder) => loadDeployment(context, folder))))];
}

/** Seals and wraps anew until nothing is under the leaving keys, at most a few times. Each pass is safe to repeat. */
async function sealAnew(
  context: Context,
  deployments: readonly LoadedDeployment[],
  file: EncryptionFile,
  journal: Journal,
  { seals, leaving }: { readonly seals: readonly string[]; readonly leaving: readonly string[] },
): Promise<KeysOutcome> {
  let renewed = 0;
  let rewrapped = 0;
  let left: SealedCount;
  const run = journal.steps.filter(({ step }) => step.endsWith('/seal anew')).length;
  const step = stepsOf(context, journal);
  let pass = 0;
  do {
    pass += 1;
    await step(`${run + pass}/seal anew`, async () => {
      const keys = keysFromValue(seals);
      const encryption = new Encryption({ keys, environment: file.environment });
      await onPrimaries(context, deployments, async (client, node) => {
        for (const { match, space, fields } of file.values) {
          const result = await reencrypt({
            client,
            encryption,
            match,
            rate: file.rate,
            signal: context.signal,
            contextOf: (key, field) => {
              if (field !== undefined && fields !== undefined && !fields.includes(field)) return undefined;
              return { space, key, ...(field !== undefined && { field }) };
            },
          }).catch((error: unknown) => {
            stopIfInterrupted(context.signal);
            throw error;
          });
          renewed += result.renewed;
          if (result.renewed > 0) context.terminal.note(`${node}: ${result.renewed} values of ${match} sealed anew.`);
        }
        if (file.wrapped) {
          const store = redisKeyStore(client, file.wrapped.prefix);
          const wrapper = localWrapper(keys, file.environment);
          rewrapped += await new EnvelopeKeys({ wrapper, store }).rewrapAll();
          // No person is named and no data is read here: only the wrapping of their keys changes.
          const persons = new PersonKeys({
            encryption,
            wrapper,
            store,
            data: client,
            pseudonymKey: randomBytes(32),
            dangerouslyKeepKeysWithData: true,
          });
          rewrapped += (await persons.rewrapAll()).rewrapped;
        }
      });
    });
    await step(`${run + pass}/count`, async () => {
      left = await countSealed(context, deployments, file, leaving);
    });
  } while (left!.sealed > 0 && pass < passes);
  return { renewed, rewrapped, left: left! };
}

/** Writes the ring and hands it out. Refuses one that has other keys by now: somebody else changes it, too. */
async function putRing(
  loaded: LoadedDeployment,
  file: EncryptionFile,
  known: readonly string[],
  keys: readonly string[],
  receivers: readonly SecretReceiver[],
): Promise<void> {
  const found = await readKeyFile(file.keyFile);
  if (found.some((key) => !known.includes(key)))
    throw new CliError(
      'REDKEEP_FILES_CHANGED',
      `${file.keyFile} has a key that this rotation does not know. Nothing was changed.`,
      'Take it out again, or end the other rotation first; then run this one again: it goes on.',
    );
  if (ringText(found) !== ringText(keys)) await writeKeyFile(file.keyFile, keys);
  for (const receiver of receivers)
    await receiver.put({ loaded, user: file.name, password: ringText(keys), stage: 'current' });
}

/** The keys of before and the new one, which at the very end is in the ring alone. */
async function keysIn(
  journal: Journal,
  file: EncryptionFile,
): Promise<{ readonly old: readonly string[]; readonly made: string }> {
  const old = keysOf((await journal.kept(oldRing)) ?? '');
  const kept = keysOf((await journal.kept(newKey)) ?? '');
  const made = [...kept, ...(await readKeyFile(file.keyFile))].find((key) => !old.includes(key));
  if (old.length > 0 && made !== undefined) return { old, made };
  throw new CliError(
    'REDKEEP_FILES_CHANGED',
    `${journal.id} has lost its keys. Nothing was changed.`,
    'Put the files of its folder back, then run it again: it goes on.',
  );
}

function wait(context: Context, ms: number): Promise<unknown> {
  return delay(ms, undefined, { signal: context.signal }).catch(() => undefined);
}

function stepsOf({ terminal, signal }: Context, journal: Journal) {
  return async (name: string, work: () => Promise<unknown>): Promise<void> => {
    stopIfInterrupted(signal);
    terminal.detail(name);
    await journal.step(name, async () => {
      await work();
      // A wait that was cut short has not been taken.
      stopIfInterrupted(signal);
    });
  };
}
