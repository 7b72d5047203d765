import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { isLoopback } from 'redkeep';
import type { Context } from '../context.js';
import { findFreePorts } from '../engine/ports.js';
import { findServerProgram, type ServerProgram } from '../engine/server-program.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import type { Engine, EngineName } from '../vocabulary/engines.js';
import { type Answers, type AnswersInput, parseAnswers } from './answers.js';
import { buildDeployment } from './build-deployment.js';
import type { DeploymentState } from './loaded-deployment.js';
import { makeMaterial } from './make-material.js';
import type { Deployment } from './model.js';
import { type RenderedFile, renderDeployment } from './render/index.js';
import { isRewrittenByServer, keepServerOwned } from './server-owned.js';
import { answersFile, readState, renderState, stateFile } from './state.js';
import { type Change, manifestOf, occupancy, planChanges } from './write-files.js';

/** What `init` would write, decided and rendered in memory. */
export interface InitPlan {
  readonly folder: string;
  /** Whether the folder is new or empty, a deployment already, or holds other files. */
  readonly situation: 'new' | 'existing' | 'foreign';
  readonly deployment: Deployment;
  readonly files: readonly RenderedFile[];
  readonly changes: readonly Change[];
  /** What was chosen by itself, for the user to know. */
  readonly notes: readonly string[];
}

/** The release line a deployment is written for when this machine has no server. */
const currentVersions: Readonly<Record<EngineName, string>> = { redis: '8.2', valkey: '9.0', dragonfly: '1.30' };

/** Decides everything from the answers and what the folder holds. Reads, never writes. */
export async function planInit(
  context: Context,
  folder: string,
  input: AnswersInput,
  options: { readonly program?: string; readonly force: boolean },
): Promise<InitPlan> {
  const notes: string[] = [];
  await requireSaneClock(context.clock.now(), folder);
  const answers = parseAnswers(input);
  const previous = await readPrevious(folder, options.force);
  const program = await findServerProgram(context, {
    ...(answers.engine === undefined ? {} : { engine: answers.engine }),
    ...(options.program === undefined ? {} : { program: options.program }),
  });
  const engine = engineFor(answers, program, notes);
  const port = input.port === undefined && !previous ? await choosePort(answers, notes) : answers.port;
  const settled: Answers = parseAnswers({ ...answers, engine: engine.name, engineVersion: engine.version, port });
  const serverProgram = options.program ? program?.path : previous?.deployment.serverProgram;
  const deployment: Deployment = {
    ...buildDeployment(settled, engine),
    ...(serverProgram === undefined ? {} : { serverProgram }),
  };
  const situation = await situationOf(folder, previous);
  const materialFolder = situation === 'foreign' ? path.join(folder, '.none') : folder;
  const material = await makeMaterial(deployment, materialFolder, {
    now: context.clock.now(),
    keyType: settled.keyType,
  });
  const rendered = renderDeployment(deployment, material, folder);
  const derived = [...(await keepDecisionsOfServers(deployment, folder, rendered)), renderAnswers(settled)];
  // Last: once it is in place, everything it speaks of is.
  const files = [...derived, renderStateFile({ deployment, files: manifestOf(derived) })];
  const changes =
    situation === 'existing'
      ? await planChanges(folder, files, previous?.files ?? {})
      : files.map((after) => ({ path: after.path, kind: 'create' as const, before: undefined, after }));
  return { folder, situation, deployment, files, changes, notes };
}

/** Before servers had a configuration of their own below `run/`, they rewrote the one that is rendered here. */
async function keepDecisionsOfServers(
  deployment: Deployment,
  folder: string,
  files: readonly RenderedFile[],
): Promise<RenderedFile[]> {
  const roles = new Map(deployment.nodes.map(({ configFile, role }) => [configFile, role]));
  return Promise.all(
    files.map(async (file) => {
      const role = roles.get(file.path);
      const before = role === undefined ? undefined : await readIfPresent(path.join(folder, file.path));
      if (role === undefined || before === undefined || !isRewrittenByServer(before)) return file;
      return { ...file, content: keepServerOwned(file.content, before, role) };
    }),
  );
}

/** Certificates made under a wrong clock are refused by everybody whose clock is right. */
async function requireSaneClock(now: Date, folder: string): Promise<void> {
  const pem = await readIfPresent(path.join(folder, 'pki/ca.crt'));
  const earliest = pem === undefined ? releaseDate : new Date(new X509Certificate(pem).validFrom);
  if (now >= earliest) return;
  throw new CliError(
    'REDKEEP_CLOCK_WRONG',
    `The clock of this machine says ${now.toISOString()}, which is before ${earliest.toISOString()}.`,
    'Set the clock (timedatectl set-ntp true) and run it again.',
  );
}

/** No clock that is right shows a time before this program was written. */
const releaseDate = new Date('2026-01-01T00:00:00Z');

/** With `--force` a damaged state file counts as one that lists nothing: secrets are still found and kept. */
async function readPrevious(folder: string, force: boolean): Promise<DeploymentState | undefined> {
  try {
    return await readState(folder);
  } catch (error) {
    if (force) return undefined;
    throw error;
  }
}

function engineFor(answers: Answers, program: ServerProgram | undefined, notes: string[]): Engine {
  if (answers.engineVersion !== undefined) {
    const name = answers.engine ?? program?.engine.name ?? 'redis';
    // Judged again with the engine: a version that is too old for it is refused and never replaced by another.
    parseAnswers({ ...answers, engine: name });
    return { name, version: answers.engineVersion };
  }
  if (program && (answers.engine === undefined || answers.engine === program.engine.name)) {
    notes.push(`Found ${program.engine.name} ${program.fullVersion} at ${program.path}.`);
    return program.engine;
  }
  const name = answers.engine ?? 'redis';
  notes.push(`No ${name} server was found here; writing for ${name} ${currentVersions[name]}.`);
  return { name, version: currentVersions[name] };
}

async function choosePort(answers: Answers, notes: string[]): Promise<number> {
  if (answers.target !== 'local' || !(answers.hosts ?? []).every(isLoopback)) return answers.port;
  const count =
    answers.topology === 'single' ? 1 : buildDeployment(answers, { name: 'redis', version: '7.0' }).nodes.length;
  const port = (await findFreePorts(answers.port, count)) ?? answers.port;
  if (port !== answers.port) notes.push(`Port ${answers.port} is taken; using ${port}.`);
  return port;
}

async function situationOf(folder: string, previous: DeploymentState | undefined): Promise<InitPlan['situation']> {
  if (previous) return 'existing';
  return (await occupancy(folder)) === 'occupied' ? 'foreign' : 'new';
}

const schemaUrl = 'https://unpkg.com/@redkeep/cli/redkeep.config.schema.json';

function renderAnswers(answers: Answers): RenderedFile {
  return {
    path: answersFile,
    mode: 0o644,
    content: `${JSON.stringify({ $schema: schemaUrl, ...answers }, null, 2)}\n`,
  };
}

function renderStateFile(state: DeploymentState): RenderedFile {
  return { path: stateFile, mode: 0o644, content: renderState(state), made: true };
}
