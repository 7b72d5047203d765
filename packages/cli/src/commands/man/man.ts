import path from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../../context.js';
import { replaceFile } from '../../files/replace-file.js';
import { version } from '../../version.js';
import { exitCodesOf, helpOf, withHelp } from '../help.js';

/** `redkeep man`: man pages from the commands themselves. */
export function register(program: Command, context: Context): void {
  const command = program
    .command('man')
    .description('write man pages, one for each command')
    .argument('<folder>', 'for example ~/.local/share/man/man1');
  withHelp(command, {
    examples: [['redkeep man ~/.local/share/man/man1', 'then: man redkeep-init']],
  }).action(async (folder: string) => {
    const pages = withDescendants(program).map((each) => [pageName(each), manPage(each)] as const);
    for (const [name, text] of pages)
      await replaceFile(path.resolve(context.cwd, folder, `${name}.1`), text, { mode: 0o644 });
    context.terminal.done(`Wrote ${pages.length} pages to ${folder}.`);
  });
}

function withDescendants(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withDescendants)];
}

function pageName(command: Command): string {
  return command.parent ? `${pageName(command.parent)}-${command.name()}` : command.name();
}

/** Text of a page: a backslash, a leading dot or quote mean something to roff, and `-` is a hyphen there. */
function roff(text: string): string {
  return text
    .replace(/\\/g, '\\e')
    .replace(/-/g, '\\-')
    .replace(/^([.'])/gm, '\\&$1');
}

export function manPage(command: Command): string {
  const name = pageName(command);
  const help = helpOf(command);
  const usage = `${name.replaceAll('-', ' ')} ${command.usage()}`;
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map(({ flags, description }) => `.TP\n.B ${roff(flags)}\n${roff(description)}`);
  const children = command.commands.map((child) => `.TP\n.B ${roff(child.name())}\n${roff(child.description())}`);
  const examples = (help?.examples ?? []).map(
    ([line, what]) => `.PP\n${roff(what)}\n.PP\n.RS\n.nf\n${roff(line)}\n.fi\n.RE`,
  );
  const codes = help ? exitCodesOf(help).map(([code, what]) => `.TP\n.B ${code}\n${roff(what)}`) : [];
  const parts = [
    `.TH ${roff(name.toUpperCase())} 1 "" "redkeep ${version}"`,
    `.SH NAME\n${roff(name)} \\- ${roff(command.description())}`,
    `.SH SYNOPSIS\n${roff(usage)}`,
    ...(children.length > 0 ? [`.SH COMMANDS\n${children.join('\n')}`] : []),
    ...(options.length > 0 ? [`.SH OPTIONS\n${options.join('\n')}`] : []),
    ...(examples.length > 0 ? [`.SH EXAMPLES\n${examples.join('\n')}`] : []),
    ...(codes.length > 0 ? [`.SH EXIT STATUS\n${codes.join('\n')}`] : []),
  ];
  return `${parts.join('\n')}\n`;
}
