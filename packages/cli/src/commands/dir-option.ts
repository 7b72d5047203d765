import type { Command } from 'commander';

export interface DirOption {
  readonly dir?: string;
}

/** Adds `--dir`, which every command that works on a deployment has. */
export function withDirOption(command: Command): Command {
  return command.option(
    '-d, --dir <folder>',
    "the deployment's folder (default: REDKEEP_DIR, else here, else ./redkeep)",
  );
}
