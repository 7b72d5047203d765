import { Argument, type Command } from 'commander';
import type { Context } from '../../context.js';
import { withHelp } from '../help.js';
import { bashCompletion, fishCompletion, zshCompletion } from './scripts.js';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** `redkeep completion`: made from the commands themselves, so that it never lags behind. */
export function register(program: Command, context: Context): void {
  const command = program
    .command('completion')
    .description('print completions for a shell')
    .addArgument(new Argument('<shell>').choices(Object.keys(shells)));
  withHelp(command, {
    examples: [
      ['redkeep completion bash > ~/.local/share/bash-completion/completions/redkeep', 'for bash'],
      ['redkeep completion zsh > "${fpath[1]}/_redkeep"', 'for zsh'],
      ['redkeep completion fish > ~/.config/fish/completions/redkeep.fish', 'for fish'],
    ],
  }).action((shell: keyof typeof shells) => context.terminal.text(shells[shell](program)));
}
