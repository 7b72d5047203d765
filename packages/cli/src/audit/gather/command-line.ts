import type { Location } from '../facts/project-facts.js';

/** One word of a command, and where it was written. */
export interface Word {
  readonly text: string;
  readonly at: Location;
}

/** A server's start, as its words say it. */
export interface ServerStart {
  readonly program: string;
  readonly isSentinel: boolean;
  /** The configuration file that it is started with, as the command names it. */
  readonly configFile?: string;
  /** `--name value …`, in their order. */
  readonly options: readonly { readonly name: string; readonly args: readonly string[]; readonly at: Location }[];
  /** A shell runs it, so that the image's own entry point does not drop root's rights. */
  readonly viaShell: boolean;
}

const program = /^(?:.*\/)?((?:redis|valkey|keydb)-(?:server|sentinel)|dragonfly)$/;
/** Commands that only name a server: they do not start it. */
const mentions =
  /^(?:.*\/)?(echo|printf|grep|which|command|test|\[|pkill|kill|killall|apt|apt-get|apk|cp|chmod|chown|ls|cat|sed|pgrep|type)$/;

/**
 * Splits a text as a POSIX shell does: simple commands of words, quotes taken off. `$NAME` and `$(…)` stay as they are
 * written. Redirections are left out.
 */
export function splitShell(text: string): string[][] {
  const commands: string[][] = [[]];
  let word: string | undefined;
  const endWord = (): void => {
    if (word !== undefined) commands.at(-1)!.push(word);
    word = undefined;
  };
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "'") {
      const end = text.indexOf("'", at + 1);
      word = (word ?? '') + text.slice(at + 1, end === -1 ? text.length : end);
      at = end === -1 ? text.length : end;
    } else if (char === '"') {
      word ??= '';
      for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === '\\' && /["\\$`]/.test(text[at + 1] ?? '')) word += text[++at];
        else if (text[at] === '\\' && text[at + 1] === '\n') at++;
        else if (text[at] === '$' && text[at + 1] === '(') {
          const inner = substitution(text, at);
          word += inner;
          at += inner.length - 1;
        } else word += text[at];
      }
    } else if (char === '\\') {
      if (text[at + 1] === '\n') at++;
      else if (at + 1 < text.length) word = (word ?? '') + text[++at];
    } else if (char === '$' && (text[at + 1] === '(' || text[at + 1] === '{')) {
      const inner = substitution(text, at);
      word = (word ?? '') + inner;
      at += inner.length - 1;
    } else if (char === '#' && word === undefined) {
      const end = text.indexOf('\n', at);
      at = end === -1 ? text.length : end - 1;
    } else if (/[;&|\n()]/.test(char)) {
      endWord();
      if (commands.at(-1)!.length > 0) commands.push([]);
    } else if (/\s/.test(char)) endWord();
    else word = (word ?? '') + char;
  }
  endWord();
  return commands
    .map((words) =>
      words.filter((one, index) => !/^\d*[<>]/.test(one) && !/^\d*[<>]{1,2}&?$/.test(words[index - 1] ?? '')),
    )
    .filter((words) => words.length > 0);
}

/** `$(…)` or `${…}` from `at` on, with what it nests. */
function substitution(text: string, at: number): string {
  const [open, close] = text[at + 1] === '(' ? ['(', ')'] : ['{', '}'];
  let depth = 0;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === open) depth++;
    if (text[end] === close && --depth === 0) return text.slice(at, end + 1);
  }
  return text.slice(at);
}

/** Words of a text without a shell, as Compose and systemd split it. */
export function splitWords(text: string): string[] {
  return splitShell(text.replace(/[;&|()#]/g, (char) => `\\${char}`).replace(/\n/g, ' ')).flat();
}

/** The text that a shell is given with `-c`; undefined where the words do not start a shell. */
function shellText(words: readonly Word[]): Word | undefined {
  const shell = words.findIndex(({ text }) => /^(?:.*\/)?(sh|bash|ash|dash|zsh|ksh)$/.test(text));
  if (shell === -1 || words.slice(0, shell).some(({ text }) => program.test(text))) return undefined;
  const flag = words.findIndex(({ text }, index) => index > shell && /^-[a-z]*c$/.test(text));
  return flag === -1 ? undefined : words[flag + 1];
}

function optionsOf(words: readonly Word[]): ServerStart['options'] {
  const options: { name: string; args: string[]; at: Location }[] = [];
  for (const { text: whole, at } of words) {
    // A server joins its arguments: "--requirepass secret" as one word are two.
    const [text = '', ...rest] = /^--\S+\s/.test(whole) ? splitWords(whole) : [whole];
    const [, name, value] = /^--?([A-Za-z][\w.-]*)(?:=([\s\S]*))?$/.exec(text) ?? [];
    if (name !== undefined && (text.startsWith('--') || value !== undefined))
      options.push({ name: name.toLowerCase(), args: [...(value === undefined ? [] : [value]), ...rest], at });
    else options.at(-1)?.args.push(text);
  }
  return options;
}

function startOf(words: readonly Word[], viaShell: boolean): ServerStart | undefined {
  const start = words.findIndex(({ text }) => program.test(text));
  if (start === -1 || mentions.test(words[0]!.text)) return undefined;
  if (words.slice(0, start).some(({ text }) => /-cli$/.test(text))) return undefined;
  const [, name = ''] = program.exec(words[start]!.text) ?? [];
  const rest = words.slice(start + 1);
  const [first] = rest;
  const configFile = first !== undefined && !first.text.startsWith('-') ? first.text : undefined;
  const options = optionsOf(configFile === undefined ? rest : rest.slice(1));
  return {
    program: name,
    isSentinel: name.endsWith('-sentinel') || options.some((option) => option.name === 'sentinel'),
    ...(configFile !== undefined && { configFile }),
    options: options.filter((option) => option.name !== 'sentinel' || option.args.length > 0),
    viaShell,
  };
}

/** The server that a script starts, if it starts one; the last one, since those before it may only prepare. */
export function serverStartOfScript(text: string, at: (line: number) => Location): ServerStart | undefined {
  const script = text.replace(/<<-?\s*['"]?(\w+)['"]?[^\n]*\n[\s\S]*?\n\s*\1(?=\n|$)/g, (whole) =>
    '\n'.repeat(whole.split('\n').length - 1),
  );
  const line = script
    .split('\n')
    .findIndex((row) => !/^\s*#/.test(row) && /(redis|valkey|keydb)-(server|sentinel)|dragonfly/.test(row));
  return splitShell(script)
    .map((words) =>
      startOf(
        words.map((one) => ({ text: one, at: at(Math.max(line, 0)) })),
        true,
      ),
    )
    .findLast((start) => start !== undefined);
}

/** The server that a command starts: directly, through wrappers (`gosu redis`, `exec`, `tini --`), or through a shell. */
export function serverStart(words: readonly Word[]): ServerStart | undefined {
  const shell = shellText(words);
  return shell
    ? serverStartOfScript(shell.text, () => shell.at)
    : words.length === 0
      ? undefined
      : startOf(words, false);
}
