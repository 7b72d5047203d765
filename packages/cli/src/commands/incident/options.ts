import path from 'node:path';
import type { Command } from 'commander';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import type { Session } from '../../audit/gather/node.js';
import { requireSession } from '../../audit/gather/session.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import type { Expected } from '../../incident/indicators/scene.js';
import { resolveTarget, type Target, type TargetOptions } from '../audit/target.js';

export const defaultIncidentFolder = 'redkeep-incident';
/** How this tool names its connections, so that it never cuts them. */
export const connectionName = 'redkeep-incident';

export interface IncidentOptions extends TargetOptions {
  readonly incident: string;
  readonly json?: boolean;
}

export interface ExpectedOptions {
  readonly peer?: readonly string[];
  readonly knownUser?: readonly string[];
  readonly knownModule?: readonly string[];
}

export function withIncidentFolder(command: Command): Command {
  return command.option('--incident <folder>', 'the folder of the incident', defaultIncidentFolder);
}

/** How servers are named and logged in to. */
export function withTarget(command: Command): Command {
  return withIncidentFolder(command)
    .option('-d, --dir <folder>', "the deployment's folder (default: here, else ./redkeep)")
    .option('--user <name>', 'log in as this user')
    .option('--password-file <file>', "file with the user's password (or the environment: REDKEEP_PASSWORD)")
    .option('--ca <file>', 'CA certificate the server must verify against')
    .option('--cert <file>', 'client certificate')
    .option('--key <file>', "the client certificate's key")
    .option('--timeout <ms>', 'longest wait for any answer', '5000');
}

export function withExpected(command: Command): Command {
  return command
    .option('--peer <host...>', 'hosts that replicate with these servers')
    .option('--known-user <name...>', 'users that are expected, beside those of the deployment')
    .option('--known-module <name...>', 'modules that are expected');
}

export function incidentFolderOf(context: Context, { incident }: { readonly incident: string }): string {
  return path.resolve(context.cwd, incident);
}

export interface Servers {
  readonly target: Target;
  /** As somebody who may look at everything. */
  readonly endpoints: readonly Endpoint[];
}

/** The servers that are meant, as their administrator where the deployment has one. */
export async function serversOf(
  context: Context,
  given: string | undefined,
  options: IncidentOptions,
): Promise<Servers> {
  const target = await resolveTarget(context, given === undefined ? [] : [given], options);
  const endpoints = target.operators ?? target.endpoints;
  for (const note of target.notes) context.terminal.warn(note);
  if (endpoints.length > 0) return { target, endpoints };
  throw new CliError(
    'REDKEEP_USAGE',
    'An incident is about servers, not about files.',
    'Give a URL or the folder of a deployment.',
  );
}

export function openIncidentSession(endpoint: Endpoint): Promise<Session> {
  return requireSession(endpoint, connectionName);
}

/** What is expected on these servers: by the deployment, and by what the operator named. */
export function expectedOf({ expectations }: Target, options: ExpectedOptions): Expected {
  const users = Object.keys(expectations.roles);
  const named = [...(options.peer ?? []), ...(options.knownUser ?? [])];
  return {
    known: users.length > 0 || named.length > 0,
    users: [...users, ...(options.knownUser ?? [])],
    peers: [...expectations.peers, ...(options.peer ?? [])],
    modules: [...expectations.modules, ...(options.knownModule ?? [])],
    libraries: [...expectations.libraries],
  };
}

export function wholeNumber(text: string, flag: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new CliError('REDKEEP_USAGE', `${flag} must be a whole number, not "${text}".`, `From ${least} to ${most}.`);
}
