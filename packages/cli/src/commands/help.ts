import type { Command } from 'commander';
import { ExitCode } from '../exit-codes.js';

export interface CommandHelp {
  /** A command line that can be pasted, and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** What exit code 1 means for this command, where it has one. */
  readonly findings?: string;
  /** What exit code 3 means for this command, where it has one. */
  readonly incomplete?: string;
}

const helps = new WeakMap<Command, CommandHelp>();

/** Adds examples and exit codes to a command's help; man pages are made from the same. */
export function withHelp(command: Command, help: CommandHelp): Command {
  helps.set(command, help);
  return command.addHelpText('after', () => `\n${helpText(help)}`);
}

export function helpOf(command: Command): CommandHelp | undefined {
  return helps.get(command);
}

/** The exit codes of a command, in words. */
export function exitCodesOf({
  findings,
  incomplete,
}: CommandHelp): readonly (readonly [code: number, meaning: string])[] {
  return [
    [ExitCode.Ok, 'done'],
    ...(findings === undefined ? [] : [[ExitCode.Findings, findings] as const]),
    [ExitCode.Usage, 'a flag, an answer or a file is wrong'],
    ...(incomplete === undefined ? [] : [[ExitCode.Incomplete, incomplete] as const]),
    [ExitCode.Environment, 'this machine is in the way (no server program, port taken, no permission, disk full)'],
    [ExitCode.Connection, 'a server was not reached or refused the connection'],
    [ExitCode.Internal, 'a defect in redkeep'],
    [ExitCode.Interrupted, 'interrupted by Ctrl-C or TERM'],
  ];
}

function helpText(help: CommandHelp): string {
  const examples = help.examples.flatMap(([line, what]) => [`  ${line}`, `      ${what}`]);
  const codes = exitCodesOf(help).map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`);
  return ['Examples:', ...examples, '', 'Exit codes:', ...codes].join('\n');
}
