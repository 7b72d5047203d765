import path from 'node:path';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import type { DeploymentState, LoadedDeployment } from './loaded-deployment.js';

/** The file in a deployment's folder that describes it. It names secrets and holds none. */
export const stateFile = 'redkeep.deployment.json';
/** The answers the deployment was made from. */
export const answersFile = 'redkeep.config.json';

/** The folder a command works on: `--dir`, else `REDKEEP_DIR`, else the current one where it is a deployment, else `./redkeep`. */
export async function resolveFolder(context: Context, dir: string | undefined): Promise<string> {
  const given = dir ?? (context.env['REDKEEP_DIR'] || undefined);
  if (given !== undefined) return path.resolve(context.cwd, given);
  const here = await readIfPresent(path.join(context.cwd, stateFile));
  return here === undefined ? path.join(context.cwd, 'redkeep') : context.cwd;
}

/** Loads the deployment a command was pointed at; an error with the next step where there is none. */
export async function loadDeployment(context: Context, dir: string | undefined): Promise<LoadedDeployment> {
  const folder = await resolveFolder(context, dir);
  const state = await readState(folder);
  if (!state) {
    throw new CliError(
      'REDKEEP_NO_DEPLOYMENT',
      `There is no deployment in ${folder}.`,
      'Make one with "redkeep init", or name its folder with --dir.',
    );
  }
  return { ...state, folder, locate: (relativePath) => path.join(folder, relativePath) };
}

/** The state of a folder, or undefined where it is no deployment. */
export async function readState(folder: string): Promise<DeploymentState | undefined> {
  const file = path.join(folder, stateFile);
  const text = await readIfPresent(file);
  if (text === undefined) return undefined;
  const state = parseState(text);
  if (!state) {
    throw new CliError(
      'REDKEEP_DEPLOYMENT_UNREADABLE',
      `${file} is damaged or of another version.`,
      'Restore it, or run "redkeep init --force" in that folder: secrets and data are kept.',
    );
  }
  return state;
}

function parseState(text: string): DeploymentState | undefined {
  try {
    const state = JSON.parse(text) as Partial<DeploymentState>;
    return state.deployment?.format === 1 && state.files ? (state as DeploymentState) : undefined;
  } catch {
    return undefined;
  }
}

export function renderState(state: DeploymentState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}
