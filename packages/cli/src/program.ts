import { Command, CommanderError } from 'commander';
import { register as registerAcl } from './commands/acl/index.js';
import { register as registerAudit } from './commands/audit/index.js';
import { register as registerCerts } from './commands/certs/index.js';
import { register as registerCli } from './commands/cli/index.js';
import { register as registerDown } from './commands/down/index.js';
import { register as registerInit } from './commands/init/index.js';
import { register as registerLogs } from './commands/logs/index.js';
import { register as registerStatus } from './commands/status/index.js';
import { register as registerUp } from './commands/up/index.js';
import type { Context } from './context.js';
import { CliError } from './errors.js';
import { ExitCode } from './exit-codes.js';
import { version } from './version.js';

/** Adds one command to the program. Each `commands/<name>/index.ts` exports one. */
export type Register = (program: Command, context: Context) => void;

const commands: readonly Register[] = [
  registerInit,
  registerUp,
  registerDown,
  registerStatus,
  registerLogs,
  registerCli,
  registerAcl,
  registerCerts,
  registerAudit,
];

/** Parses the arguments, runs the command and returns the exit code. Never throws. */
export async function run(args: readonly string[], context: Context): Promise<ExitCode> {
  const program = new Command('redkeep')
    .description('Make, prove and keep hardened Redis, Valkey and Dragonfly deployments.')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(redkeep --help lists the commands)');
  for (const register of commands) register(program, context);
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
