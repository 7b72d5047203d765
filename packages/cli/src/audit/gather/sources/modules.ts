import { dirname, join, normalize } from 'node:path';
import { type ParserPlugin, parse } from '@babel/parser';
import type { NodePath } from '@babel/traverse';
import * as traversal from '@babel/traverse';
import type { File, Program } from '@babel/types';

/** The package is CommonJS: its function is the default of its default where a bundler or Node made it a module. */
type Traverse = (root: File, visitor: { Program(path: NodePath<Program>): void }) => void;
const traverse = (('default' in traversal.default ? traversal.default.default : traversal.default) ??
  traversal) as unknown as Traverse;

const extensions = ['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs'];

/** Parses JavaScript or TypeScript, with JSX where the name allows it. */
function parseFile(text: string, file: string): File {
  const typescript = /\.[cm]?tsx?$/.test(file);
  const plugins: ParserPlugin[] = [
    typescript ? 'typescript' : 'flow',
    ...(/\.[cm]?ts$/.test(file) ? [] : (['jsx'] as const)),
    'decorators-legacy',
    'explicitResourceManagement',
  ];
  return parse(text, {
    sourceType: 'unambiguous',
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    plugins,
  });
}

/** One parsed file, with its scopes and bindings. */
export interface SourceModule {
  readonly file: string;
  readonly program: NodePath<Program>;
}

/** Names that lead to files of the project: `@/*` of a tsconfig.json, packages of a workspace. */
export interface Aliases {
  /** Pattern with at most one `*`, and the path or paths it stands for. */
  readonly paths: readonly (readonly [pattern: string, targets: readonly string[]])[];
}

/** The files of a project; each is parsed when it is first asked for. */
export class Modules {
  readonly unparsed: string[] = [];
  readonly #texts: ReadonlyMap<string, string>;
  readonly #aliases: Aliases;
  readonly #parsed = new Map<string, SourceModule | undefined>();

  constructor(texts: ReadonlyMap<string, string>, aliases: Aliases = { paths: [] }) {
    this.#texts = texts;
    this.#aliases = aliases;
  }

  get files(): Iterable<string> {
    return this.#texts.keys();
  }

  module(file: string): SourceModule | undefined {
    if (!this.#parsed.has(file)) this.#parsed.set(file, this.#parse(file));
    return this.#parsed.get(file);
  }

  /** The file that an import means; `undefined` for a package. */
  resolve(from: string, specifier: string): string | undefined {
    return resolveImport(from, specifier, this.#aliases, (path) => this.#texts.has(path));
  }

  #parse(file: string): SourceModule | undefined {
    const text = this.#texts.get(file);
    if (text === undefined) return undefined;
    try {
      let found: SourceModule | undefined;
      traverse(parseFile(text, file), {
        Program(program) {
          found = { file, program };
          program.stop();
        },
      });
      return found;
    } catch {
      this.unparsed.push(file);
      return undefined;
    }
  }
}

/** The file that an import means among those that exist; `undefined` for a package. */
export function resolveImport(
  from: string,
  specifier: string,
  aliases: Aliases,
  exists: (path: string) => boolean,
): string | undefined {
  const bases = specifier.startsWith('.')
    ? [join(dirname(from), specifier)]
    : aliases.paths.flatMap(([pattern, targets]) => {
        const [head = '', tail] = pattern.split('*', 2);
        if (tail === undefined) return specifier === pattern ? targets : [];
        if (!specifier.startsWith(head) || !specifier.endsWith(tail)) return [];
        const middle = specifier.slice(head.length, specifier.length - tail.length);
        return targets.map((target) => target.replace('*', middle));
      });
  for (const base of bases.map(normalize)) {
    const stem = base.replace(/\.[cm]?jsx?$/, '');
    const candidates = [
      base,
      ...extensions.map((extension) => base + extension),
      ...(stem === base ? [] : extensions.map((extension) => stem + extension)),
      ...extensions.map((extension) => join(base, `index${extension}`)),
    ];
    const found = candidates.find(exists);
    if (found !== undefined) return found;
  }
  return undefined;
}
