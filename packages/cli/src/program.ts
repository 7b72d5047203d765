import { Command, CommanderError } from 'commander';
import type { Context } from './context.js';
import { CliError } from './errors.js';
import { ExitCode } from './exit-codes.js';
import { version } from './version.js';

/** Adds one command to the program. Each `commands/<name>/index.ts` exports one. */
export type Register = (program: Command, context: Context) => void;

/** Loaded by name, in the order of the help: nobody waits for the code of a command that was not called. */
const commands: Readonly<Record<string, () => Promise<{ readonly register: Register }>>> = {
  init: () => import('./commands/init/index.js'),
  up: () => import('./commands/up/index.js'),
  down: () => import('./commands/down/index.js'),
  status: () => import('./commands/status/index.js'),
  logs: () => import('./commands/logs/index.js'),
  cli: () => import('./commands/cli/index.js'),
  acl: () => import('./commands/acl/index.js'),
  certs: () => import('./commands/certs/index.js'),
  audit: () => import('./commands/audit/index.js'),
};

/** The command that is called; all of them for the help, and where the name is not known. */
function wanted([name = '']: readonly string[]): (typeof commands)[string][] {
  const one = Object.hasOwn(commands, name) ? commands[name] : undefined;
  return one ? [one] : Object.values(commands);
}

/** Parses the arguments, runs the command and returns the exit code. Never throws. */
export async function run(args: readonly string[], context: Context): Promise<ExitCode> {
  const program = new Command('redkeep')
    .description('Make, prove and keep hardened Redis, Valkey and Dragonfly deployments.')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(redkeep --help lists the commands)');
  for (const load of wanted(args)) (await load()).register(program, context);
  for (const command of [program, ...descendants(program)]) command.exitOverride();
  try {
    await program.parseAsync(args, { from: 'user' });
    return context.exitCode;
  } catch (error) {
    return report(error, context);
  }
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function report(error: unknown, { terminal, env }: Context): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.Ok : ExitCode.Usage;
  if (error instanceof CliError) {
    terminal.error(error.message, error.code, error.next);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  terminal.error(message, 'REDKEEP_INTERNAL', 'This is a defect: please report it. REDKEEP_TRACE=1 shows where.');
  if (env['REDKEEP_TRACE'] && error instanceof Error) console.error(error.stack);
  return ExitCode.Internal;
}
