import type { Command, Option } from 'commander';

/** A command by its words after `redkeep`, with what may follow it. */
interface Node {
  readonly words: readonly string[];
  readonly description: string;
  readonly children: readonly string[];
  readonly options: readonly Option[];
  readonly choices: readonly string[];
}

function nodesOf(command: Command, words: readonly string[] = []): Node[] {
  const own: Node = {
    words,
    description: command.description(),
    children: command.commands.map((child) => child.name()),
    options: command.options.filter((option) => !option.hidden),
    choices: command.registeredArguments.flatMap((argument) => argument.argChoices ?? []),
  };
  return [own, ...command.commands.flatMap((child) => nodesOf(child, [...words, child.name()]))];
}

const quote = (text: string) => `'${text.replace(/'/g, `'\\''`)}'`;
const flags = ({ options }: Node) => options.flatMap(({ long, short }) => [long, short].filter((flag) => flag != null));

/** Values of options that have a fixed set, by flag. */
function valuesOf({ options }: Node): (readonly [flag: string, values: readonly string[]])[] {
  return options.flatMap((option) =>
    option.argChoices
      ? [option.long, option.short].flatMap((flag) => (flag ? [[flag, option.argChoices!] as const] : []))
      : [],
  );
}

export function bashCompletion(program: Command): string {
  const nodes = nodesOf(program);
  const cases = nodes.map((node) => {
    const candidates = [...node.children, ...node.choices, ...flags(node), '--help'].join(' ');
    const values = valuesOf(node).map(([flag, list]) => `      ${flag}) words=${quote(list.join(' '))} ;;`);
    const previous = values.length > 0 ? `\n    case "$previous" in\n${values.join('\n')}\n    esac` : '';
    return `  ${quote(node.words.join(' '))})\n    words=${quote(candidates)}${previous}\n    ;;`;
  });
  const names = [...new Set(nodes.flatMap(({ children }) => children))].join('|');
  return `# bash completion for redkeep; written by redkeep completion bash
_redkeep() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' word words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in
      ${names}) path="\${path:+$path }$word" ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "$previous" in
    -d|--dir) COMPREPLY=( $(compgen -d -- "$current") ); return ;;
    --config|--cert|--key|--ca|--file|--output|--server) COMPREPLY=( $(compgen -f -- "$current") ); return ;;
  esac
  COMPREPLY=( $(compgen -W "$words" -- "$current") )
}
complete -F _redkeep redkeep
`;
}

export function zshCompletion(program: Command): string {
  const nodes = nodesOf(program);
  const entry = (name: string, what: string) => quote(`${name.replace(/:/g, '\\:')}:${what.replace(/\n/g, ' ')}`);
  const cases = nodes.map((node) => {
    const child = (name: string) => nodes.find(({ words }) => words.join(' ') === [...node.words, name].join(' '));
    const children = node.children.map((name) => entry(name, child(name)?.description ?? ''));
    const options = node.options.flatMap((option) => (option.long ? [entry(option.long, option.description)] : []));
    const choices = node.choices.map((choice) => entry(choice, ''));
    const values = valuesOf(node).map(
      ([flag, list]) => `        ${flag}) compadd -- ${list.map(quote).join(' ')}; return ;;`,
    );
    const previous = values.length > 0 ? `\n      case "$previous" in\n${values.join('\n')}\n      esac` : '';
    return `    ${quote(node.words.join(' '))})${previous}\n      found=(${[...children, ...choices, ...options].join(' ')})\n      ;;`;
  });
  const names = [...new Set(nodes.flatMap(({ children }) => children))].join('|');
  return `#compdef redkeep
# zsh completion for redkeep; written by redkeep completion zsh
_redkeep() {
  local path_of='' word previous="\${words[CURRENT-1]}"
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$word" in
      ${names}) path_of="\${path_of:+$path_of }$word" ;;
    esac
  done
  case "$previous" in
    -d|--dir) _directories; return ;;
    --config|--cert|--key|--ca|--file|--output|--server) _files; return ;;
  esac
  case "$path_of" in
${cases.join('\n')}
  esac
  _describe 'redkeep' found
}
if [ "$funcstack[1]" = "_redkeep" ]; then _redkeep "$@"; else compdef _redkeep redkeep; fi
`;
}

export function fishCompletion(program: Command): string {
  const lines: string[] = [];
  for (const node of nodesOf(program)) {
    const [first, second] = node.words;
    const when =
      first === undefined
        ? '__fish_use_subcommand'
        : second === undefined
          ? `__fish_seen_subcommand_from ${first}`
          : `__fish_seen_subcommand_from ${first}; and __fish_seen_subcommand_from ${second}`;
    const condition = `complete -c redkeep -f -n ${quote(when)}`;
    for (const name of node.children) lines.push(`${condition} -a ${quote(name)}`);
    for (const choice of node.choices) lines.push(`${condition} -a ${quote(choice)}`);
    for (const option of node.options) {
      if (!option.long) continue;
      const short = option.short ? ` -s ${option.short.slice(1)}` : '';
      const values = option.argChoices ? ` -x -a ${quote(option.argChoices.join(' '))}` : '';
      lines.push(`${condition} -l ${option.long.slice(2)}${short}${values} -d ${quote(option.description)}`);
    }
  }
  return `# fish completion for redkeep; written by redkeep completion fish\n${lines.join('\n')}\n`;
}
