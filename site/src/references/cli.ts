/** `docs/reference/cli.md`: every command of `redkeep` with its options, examples and exit codes, from its definition. */
import { exitCodesOf, helpOf } from '../../../packages/cli/dist/commands/help.js';
import type { Context } from '../../../packages/cli/dist/context.js';
import { createContext } from '../../../packages/cli/dist/context.js';
import { definedProgram } from '../../../packages/cli/dist/program.js';
import { cell, codeCell } from './declarations.js';

type Command = Awaited<ReturnType<typeof definedProgram>>;
type Option = Command['options'][number];

/** Registering commands touches nothing of the world; running one would. */
const context: Context = createContext(process, new AbortController().signal);

export interface CliCommand {
  /** `redkeep acl explain` */
  readonly name: string;
  readonly command: Command;
}

/** Every command that does something, in the order of the help. */
export async function cliCommands(): Promise<CliCommand[]> {
  const below = (command: Command, words: readonly string[]): CliCommand[] => {
    const name = [...words, command.name()];
    const children = command.commands.flatMap((child) => below(child, name));
    return [{ name: name.join(' '), command }, ...children];
  };
  const program = await definedProgram(context);
  return program.commands.flatMap((command) => below(command, ['redkeep']));
}

export const optionsOf = (command: Command): readonly Option[] => command.options.filter(({ hidden }) => !hidden);

/** Of every command; listed once. */
const COMMON = ['--json', '--quiet', '--verbose'];

function section({ name, command }: CliCommand): string {
  const help = helpOf(command);
  const own = optionsOf(command).filter(({ long }) => !COMMON.includes(long ?? ''));
  const described = command.registeredArguments.filter(({ description }) => description !== '');
  const rows = own.map(
    ({ flags, description, argChoices, defaultValue }) =>
      `| ${codeCell(flags)} | ${cell(description)}${argChoices ? ` (${argChoices.map((choice) => `\`${choice}\``).join(', ')})` : ''}${defaultOf(defaultValue)} |`,
  );
  const parts = [
    `## ${name}`,
    `${sentence(command.description())}`,
    `\`\`\`text\n${name} ${command.usage()}\n\`\`\``,
    ...(described.length > 0
      ? [
          `| argument | what it is |\n|---|---|\n${described.map((argument) => `| \`${argument.name()}\` | ${cell(argument.description)} |`).join('\n')}`,
        ]
      : []),
    ...(rows.length > 0 ? [`| option | what it does |\n|---|---|\n${rows.join('\n')}`] : []),
    ...(help && help.examples.length > 0
      ? [`\`\`\`text\n${help.examples.map(([line, what]) => `# ${what}\n${line}`).join('\n')}\n\`\`\``]
      : []),
    ...(help?.findings === undefined ? [] : [`Exit code 1: ${help.findings}.`]),
  ];
  return parts.join('\n\n');
}

const defaultOf = (value: unknown) =>
  value === undefined || value === false || (Array.isArray(value) && value.length === 0)
    ? ''
    : `; default \`${String(value)}\``;

const sentence = (text: string) => {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return cell(first.endsWith('.') ? first : `${first}.`);
};

export async function cliPage(): Promise<string> {
  const commands = await cliCommands();
  const codes = exitCodesOf({ examples: [], findings: 'a check failed, or findings are at or above the threshold' });
  const all = [...codes, [3, 'something that must be observed could not be observed'] as const].sort(
    ([a], [b]) => a - b,
  );
  return `# Command line

Every command of \`redkeep\`, from the definitions that \`--help\`, the completions and the man pages are made from.

Each command also takes \`--json\` (one JSON document on standard output, errors too), \`--quiet\` (results, warnings and
errors only), \`--verbose\` (also what was looked at on the way) and \`--help\`. \`NO_COLOR\` is honoured. Errors have a stable
code: [errors of the command line](../cli-errors.md).

| exit code | meaning |
|---|---|
${all.map(([code, meaning]) => `| ${code} | ${meaning} |`).join('\n')}

${commands.map(section).join('\n\n')}
`;
}
