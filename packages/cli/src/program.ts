import { Command, CommanderError } from 'commander';
import type { Context } from './context.js';
import { ExitCode } from './exit-codes.js';
import type { Terminal } from './terminal.js';
import { version } from './version.js';

/** Adds one command to the program. Each `commands/<name>/index.ts` exports one. */
export type Register = (program: Command, context: Context) => void;

interface CommandEntry {
  /** What `redkeep --help` says of it; its own module describes it in full. */
  readonly summary: string;
  /** It works on the definitions of all commands, so that all of them are loaded. */
  readonly whole?: boolean;
  /** Its module is loaded when the command is called, so that no command waits for another's code. */
  load(): Promise<{ readonly register: Register }>;
}

/** Every command, in the order of the help. */
export const commands: Readonly<Record<string, CommandEntry>> = {
  init: {
    summary: 'write a hardened deployment: configuration, users, certificates, secrets',
    load: () => import('./commands/init/index.js'),
  },
  up: { summary: 'start the servers and wait until they are ready', load: () => import('./commands/up/index.js') },
  apply: {
    summary: 'bring running servers in line with the folder, node by node',
    load: () => import('./commands/apply/index.js'),
  },
  bundle: {
    summary: 'write one script that installs a host which cannot be reached by ssh',
    load: () => import('./commands/bundle/index.js'),
  },
  down: {
    summary: 'stop the servers; data, users and certificates stay',
    load: () => import('./commands/down/index.js'),
  },
  restart: {
    summary: 'restart nodes one by one; a primary hands over first',
    load: () => import('./commands/restart/index.js'),
  },
  status: {
    summary: 'show what runs, in which role, and whether it answers',
    load: () => import('./commands/status/index.js'),
  },
  logs: { summary: "show the servers' logs", load: () => import('./commands/logs/index.js') },
  cli: { summary: 'open redis-cli as a user of the deployment', load: () => import('./commands/cli/index.js') },
  acl: {
    summary: 'list, explain, test, compare, learn, print and apply what users may do',
    load: () => import('./commands/acl/index.js'),
  },
  certs: {
    summary: 'show, check, issue, renew, import and trust certificates',
    load: () => import('./commands/certs/index.js'),
  },
  audit: { summary: 'judge servers, files and sources; grade A to F', load: () => import('./commands/audit/index.js') },
  backup: {
    summary: 'take, follow, list, verify, prove and expire encrypted backups',
    load: () => import('./commands/backup/index.js'),
  },
  restore: {
    summary: 'bring data back: whole, to a second, or to before a command',
    load: () => import('./commands/restore/index.js'),
  },
  monitor: {
    summary: 'watch servers for attacks and faults: metrics, alerts, a live page',
    load: () => import('./commands/monitor/index.js'),
  },
  rotate: {
    summary: 'rotate passwords, certificates and the CA while applications work',
    load: () => import('./commands/rotate/index.js'),
  },
  health: {
    summary: 'say whether servers are alive, ready and safe; for probes',
    load: () => import('./commands/health/index.js'),
  },
  completion: {
    summary: 'print completions for bash, zsh or fish',
    whole: true,
    load: () => import('./commands/completion/index.js'),
  },
  man: { summary: 'write man pages', whole: true, load: () => import('./commands/man/index.js') },
  version: { summary: 'print the version', load: () => import('./commands/version/index.js') },
  migrate: {
    summary: 'close an open server in production, step by step, with a way back from each',
    load: () => import('./commands/migrate/index.js'),
  },
  doctor: {
    summary: 'find out why a server is slow or fails, and what will fail next',
    load: () => import('./commands/doctor/index.js'),
  },
  incident: {
    summary: 'collect evidence, assess, contain, recover and report after an intrusion or a loss of data',
    load: () => import('./commands/incident/index.js'),
  },
};

/** Parses the arguments, runs the command and returns the exit code. Never throws. */
export async function run(args: readonly string[], context: Context): Promise<ExitCode> {
  const { terminal } = context;
  const program = createProgram(terminal);
  const [first = '', second = ''] = args.filter((arg) => !arg.startsWith('-'));
  const name = first === 'help' ? second : first;
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (entry?.whole) for (const each of Object.values(commands)) await registerOne(program, each, context);
  else if (entry) await registerOne(program, entry, context);
  else for (const [stub, { summary }] of Object.entries(commands)) program.command(stub).description(summary);
  finish(program);
  // Until a command has been found, options about the output are read from the arguments as they are.
  terminal.configure({ verbosity: 'normal', json: args.includes('--json') });
  program.hook('preAction', (_, action) => {
    configureTerminal(terminal, action);
    if (action.opts<{ quiet?: unknown }>().quiet === true && action.opts<{ verbose?: unknown }>().verbose === true)
      action.error('error: --quiet and --verbose exclude each other');
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    terminal.finish(context.exitCode);
    return context.exitCode;
  } catch (error) {
    return await report(error, context);
  }
}

/** The program with every command defined, for what is made from the definitions; nothing is run. */
export async function definedProgram(context: Context): Promise<Command> {
  const program = createProgram(context.terminal);
  for (const entry of Object.values(commands)) await registerOne(program, entry, context);
  finish(program);
  return program;
}

function createProgram(terminal: Terminal): Command {
  return new Command('redkeep')
    .description('Make, prove and keep hardened Redis, Valkey and Dragonfly deployments.')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(redkeep --help lists the commands)')
    .configureOutput({
      writeOut: (text) => terminal.write(text, 'out'),
      writeErr: (text) => terminal.write(text, 'err'),
    });
}

async function registerOne(program: Command, entry: CommandEntry, context: Context): Promise<void> {
  (await entry.load()).register(program, context);
}

/** What every command has, and never a process.exit from inside the parser. */
function finish(program: Command): void {
  for (const command of [program, ...descendants(program)]) {
    command.exitOverride();
    if (command === program || command.commands.length > 0) continue;
    const has = (flag: string) => command.options.some(({ long }) => long === flag);
    if (!has('--json')) command.option('--json', 'print one JSON document, errors too');
    if (!has('--quiet')) command.option('--quiet', 'say nothing but results, warnings and errors');
    if (!has('--verbose')) command.option('--verbose', 'also say what was looked at on the way');
  }
}

function configureTerminal(terminal: Terminal, action: Command): void {
  const { quiet, verbose, json } = action.opts<{ quiet?: unknown; verbose?: unknown; json?: unknown }>();
  const verbosity = quiet === true ? 'quiet' : verbose === true ? 'verbose' : 'normal';
  terminal.configure({ verbosity, json: json === true });
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

async function report(error: unknown, { terminal, env }: Context): Promise<ExitCode> {
  if (error instanceof CommanderError) {
    // The parser has printed help or the problem already.
    if (error.exitCode === 0) return ExitCode.Ok;
    terminal.errorDocument(error.message.replace(/^error: /, ''), 'REDKEEP_USAGE', 'redkeep --help', ExitCode.Usage);
    return ExitCode.Usage;
  }
  const { CliError } = await import('./errors.js');
  if (error instanceof CliError) {
    terminal.error(error.message, error.code, error.hint, error.exitCode);
    return error.exitCode;
  }
  const message = error instanceof Error ? error.message : String(error);
  const hint = 'This is a defect: please report it. REDKEEP_TRACE=1 shows where.';
  terminal.error(message, 'REDKEEP_INTERNAL', hint, ExitCode.Internal);
  if (env['REDKEEP_TRACE'] && error instanceof Error) console.error(error.stack);
  return ExitCode.Internal;
}
