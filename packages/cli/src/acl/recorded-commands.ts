import { CliError } from '../errors.js';

/** A command that a client recorded, with its arguments where it recorded them. */
export interface RecordedCommand {
  readonly args: readonly string[];
  readonly times: number;
}

/**
 * Reads what an application's client counted: a line each, as JSON (`{"command":"GET"}` from the diagnostics channel
 * `redkeep:command`, `["GET","key"]`), as a Prometheus sample (`…{command="get"} 12`), or as the bare command.
 */
export function parseRecordedCommands(text: string, file: string): RecordedCommand[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const found = parseLine(trimmed);
    if (found) return [found];
    throw new CliError(
      'REDKEEP_ANSWERS_INVALID',
      `${file}, line ${index + 1} names no command.`,
      'A line each: {"command":"GET"}, ["GET","key"], name{command="get"} 12, or GET.',
    );
  });
}

const commandWord = /^[A-Za-z][A-Za-z0-9._-]*(?:\|[A-Za-z0-9_-]+)?$/;

function parseLine(line: string): RecordedCommand | undefined {
  const sample = /\b(?:command|cmd)="([^"]+)"[^}]*\}\s+([0-9.e+]+)/.exec(line);
  if (sample) return recorded(sample[1]!.split('|'), Number(sample[2]));
  if (commandWord.test(line)) return recorded(line.split('|'));
  try {
    const value = JSON.parse(line) as unknown;
    if (Array.isArray(value) && value.length > 0) return recorded(value.map(String));
    const { command } = value as { command?: unknown };
    return typeof command === 'string' ? recorded(command.split(/[ |]/)) : undefined;
  } catch {
    return undefined;
  }
}

function recorded(args: readonly string[], times = 1): RecordedCommand | undefined {
  return commandWord.test(args[0] ?? '') && times > 0 ? { args, times } : undefined;
}
