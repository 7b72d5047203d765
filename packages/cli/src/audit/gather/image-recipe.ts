import { access } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import type { Location } from '../facts/project-facts.js';
import type { Variable } from './client-urls.js';
import { splitShell, splitWords, type Word } from './command-line.js';
import { interpolate, type Variables } from './compose/interpolation.js';
import type { Reading } from './reading.js';
import { readTextFile, reasonOf } from './text-file.js';
import { isTreeMap, type Tree, treeMap, treeText } from './yaml-tree.js';

/** What a Dockerfile makes of its last stage. */
export interface ImageRecipe {
  readonly file: string;
  /** The image that the last stage goes back to, outside of the file. */
  readonly base: string;
  readonly entrypoint?: readonly Word[];
  readonly command?: readonly Word[];
  readonly user?: string;
  readonly userAt?: Location;
  readonly variables: readonly Variable[];
  readonly arguments: readonly Variable[];
  readonly exposed: readonly { readonly port: string; readonly at: Location }[];
  /** Files of the project that the image holds. */
  readonly copies: readonly { readonly source: string; readonly target: string; readonly at: Location }[];
  /** Commands of RUN. */
  readonly runs: readonly { readonly text: string; readonly at: Location }[];
  readonly baseAt: Location;
  /** The file of the project that is at a path of the image; undefined where none is. */
  readonly hostPathOf: (path: string) => Promise<string | undefined>;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
  readonly at: Location;
}

/** Instructions of a Dockerfile: comments left out, continued lines joined, here-documents taken with their line. */
function instructionsOf(text: string, file: string): Instruction[] {
  const rows = text.split('\n');
  const continuation = /^#\s*escape\s*=\s*`/im.test(rows.slice(0, 3).join('\n')) ? '`' : '\\';
  const instructions: Instruction[] = [];
  for (let index = 0; index < rows.length; index++) {
    if (/^\s*(#|$)/.test(rows[index]!)) continue;
    const line = index + 1;
    let row = rows[index]!;
    while (row.trimEnd().endsWith(continuation) && index + 1 < rows.length) {
      const next = rows[++index]!;
      row = row.trimEnd().slice(0, -1) + (/^\s*#/.test(next) ? continuation : ` ${next}`);
    }
    const [, marker] = /^\s*(?:RUN|COPY|ADD)\b.*<<-?["']?(\w+)["']?/i.exec(row) ?? [];
    if (marker !== undefined)
      while (index + 1 < rows.length && rows[index + 1]!.trim() !== marker) row += `\n${rows[++index]!}`;
    const [, name, rest = ''] = /^\s*(\w+)\s*([\s\S]*)$/.exec(row) ?? [];
    if (name !== undefined) instructions.push({ name: name.toUpperCase(), text: rest.trim(), at: { file, line } });
  }
  return instructions;
}

/** A JSON list of words, or a text that the image's shell runs. */
function commandOf({ text, at }: Instruction): Word[] {
  if (text.startsWith('[')) {
    try {
      const words: unknown = JSON.parse(text);
      if (Array.isArray(words)) return words.map((word) => ({ text: String(word), at }));
    } catch {
      // As Docker does: what is not JSON is a shell's text.
    }
  }
  return ['/bin/sh', '-c', text].map((word) => ({ text: word, at }));
}

/** `NAME=value NAME2="other value"` and the old `NAME value`. */
function assignments(text: string): [string, string][] {
  const words = splitWords(text);
  if (words.length > 0 && !words[0]!.includes('=')) return [[words[0]!, words.slice(1).join(' ')]];
  return words.flatMap((word) => {
    const at = word.indexOf('=');
    return at === -1 ? [] : [[word.slice(0, at), word.slice(at + 1)] as [string, string]];
  });
}

export function parseImageRecipe(text: string, file: string, context: string, target?: string): ImageRecipe {
  const stages = new Map<string, Stage>();
  const globals = new Map<string, string>();
  let stage: Stage | undefined;
  for (const one of instructionsOf(text, file)) {
    const variables: Variables = (name) => stage?.values.get(name) ?? globals.get(name);
    if (one.name === 'FROM') {
      const words = interpolate(one.text, variables)
        .split(/\s+/)
        .filter((word) => !word.startsWith('--'));
      const base = words[0] ?? '';
      const inherited = stages.get(base.toLowerCase());
      if (stage && target !== undefined && stage.name === target.toLowerCase()) break;
      const name = /^as$/i.test(words[1] ?? '') ? words[2]!.toLowerCase() : String(stages.size);
      stage = new Stage(name, inherited, base, one.at);
      stages.set(name, stage);
      continue;
    }
    if (stage === undefined) {
      if (one.name === 'ARG') for (const [name, value] of assignments(one.text)) globals.set(name, value);
      continue;
    }
    stage.take(one, variables);
  }
  const last = stage ?? new Stage('', undefined, '', { file, line: 1 });
  return { ...last.recipe(), file, hostPathOf: (path) => hostPath(last, context, path) };
}

class Stage {
  readonly name: string;
  readonly values = new Map<string, string>();
  readonly #base: string;
  readonly #baseAt: Location;
  #folder = '/';
  #entrypoint: Word[] | undefined;
  #command: Word[] | undefined;
  #user: { name: string; at: Location } | undefined;
  readonly #variables: Variable[] = [];
  readonly #arguments: Variable[] = [];
  readonly #exposed: { port: string; at: Location }[] = [];
  readonly copies: { source: string; target: string; at: Location }[] = [];
  readonly #runs: { text: string; at: Location }[] = [];

  constructor(name: string, from: Stage | undefined, base: string, at: Location) {
    this.name = name;
    this.#base = from ? from.#base : base;
    this.#baseAt = from ? from.#baseAt : at;
    if (from === undefined) return;
    this.#folder = from.#folder;
    this.#entrypoint = from.#entrypoint;
    this.#command = from.#command;
    this.#user = from.#user;
    this.#variables.push(...from.#variables);
    this.#exposed.push(...from.#exposed);
    this.copies.push(...from.copies);
    for (const [name_, value] of from.values) this.values.set(name_, value);
  }

  take(one: Instruction, variables: Variables): void {
    const text = interpolate(one.text, variables);
    switch (one.name) {
      case 'ENTRYPOINT':
        this.#entrypoint = commandOf(one);
        // An entry point of its own takes the base image's command away.
        this.#command = undefined;
        break;
      case 'CMD':
        this.#command = commandOf(one);
        break;
      case 'USER':
        this.#user = { name: text, at: one.at };
        break;
      case 'ENV':
      case 'ARG':
        for (const [name, value] of assignments(one.text)) {
          const known = interpolate(value, variables);
          this.values.set(name, known);
          (one.name === 'ENV' ? this.#variables : this.#arguments).push({ name, value: known, at: one.at });
        }
        break;
      case 'EXPOSE':
        for (const port of text.split(/\s+/)) this.#exposed.push({ port, at: one.at });
        break;
      case 'WORKDIR':
        this.#folder = posix.resolve(this.#folder, text);
        break;
      case 'COPY':
      case 'ADD':
        this.#copy(text, one.at);
        break;
      case 'RUN':
        this.#runs.push({ text: one.text, at: one.at });
        break;
      default:
    }
  }

  #copy(text: string, at: Location): void {
    if (/--from=/.test(text) || /<</.test(text)) return;
    const words = text.startsWith('[')
      ? (text.match(/"((?:\\.|[^"])*)"/g) ?? []).map((word) => word.slice(1, -1))
      : splitWords(text);
    const paths = words.filter((word) => !word.startsWith('--'));
    const to = paths.pop();
    if (to === undefined) return;
    for (const source of paths) {
      const isFolder = to.endsWith('/') || paths.length > 1;
      const target = posix.resolve(this.#folder, isFolder ? posix.join(to, basename(source)) : to);
      this.copies.push({ source, target, at });
    }
  }

  recipe(): Omit<ImageRecipe, 'file' | 'hostPathOf'> {
    return {
      base: this.#base,
      baseAt: this.#baseAt,
      ...(this.#entrypoint && { entrypoint: this.#entrypoint }),
      ...(this.#command && { command: this.#command }),
      ...(this.#user && { user: this.#user.name, userAt: this.#user.at }),
      variables: this.#variables,
      arguments: this.#arguments,
      exposed: this.#exposed,
      copies: this.copies,
      runs: this.#runs,
    };
  }
}

async function hostPath(stage: Stage, context: string, path: string): Promise<string | undefined> {
  for (const { source, target } of [...stage.copies].reverse()) {
    // A folder is copied with what is in it; a file may be copied into a folder that exists.
    const candidates = [
      ...(path === target ? [source] : []),
      ...(path.startsWith(`${target}/`) ? [posix.join(source, path.slice(target.length + 1))] : []),
      ...(path === posix.join(target, basename(source)) ? [source] : []),
    ];
    for (const candidate of candidates) {
      const file = join(context, candidate);
      if (
        await access(file).then(
          () => true,
          () => false,
        )
      )
        return file;
    }
  }
  return undefined;
}

/** The recipe of a service's `build`; undefined where its Dockerfile is not among the files. */
export async function readImageRecipe(build: Tree, reading: Reading): Promise<ImageRecipe | undefined> {
  const map = isTreeMap(build) ? build : treeMap({ context: build });
  const context = treeText(map['context']) ?? '.';
  const inline = treeText(map['dockerfile_inline']);
  const target = treeText(map['target']);
  if (inline !== undefined) return parseImageRecipe(inline, context, context, target);
  const file = resolve(context, treeText(map['dockerfile']) ?? 'Dockerfile');
  try {
    const recipe = parseImageRecipe(await readTextFile(file), file, context, target);
    reading.recipes.push(file);
    return recipe;
  } catch (error) {
    const reason = reasonOf(error);
    // A context elsewhere (a Git URL, another repository) is not a fault of these files.
    if (reason !== 'it does not exist') reading.unreadable.push({ file, reason });
    return undefined;
  }
}

export async function readRecipeFile(file: string): Promise<ImageRecipe> {
  return parseImageRecipe(await readTextFile(file), file, dirname(file));
}

/** Words of commands that RUN executes. */
export function runWords(recipe: ImageRecipe): { words: readonly string[]; at: Location }[] {
  return recipe.runs.flatMap(({ text, at }) => splitShell(text).map((words) => ({ words, at })));
}
