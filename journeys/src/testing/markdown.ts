import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = fileURLToPath(new URL('../../../', import.meta.url));

/** A fenced block of a page. */
export interface Block {
  readonly page: string;
  /** The heading above it. */
  readonly heading: string;
  /** `sh`, `ts`, `yaml`, … */
  readonly language: string;
  /** Words after the language, such as `no-run`. */
  readonly marks: readonly string[];
  readonly text: string;
}

/** Every fenced block of a page of the repository, in order. */
export async function blocksOf(page: string): Promise<Block[]> {
  const blocks: Block[] = [];
  let heading = '';
  let open: { language: string; marks: string[]; lines: string[] } | undefined;
  for (const line of (await readFile(join(repository, page), 'utf8')).split('\n')) {
    const fence = /^```(.*)$/.exec(line);
    if (open && fence) {
      const { lines, ...rest } = open;
      blocks.push({ page, heading, ...rest, text: lines.join('\n') });
      open = undefined;
    } else if (open) {
      open.lines.push(line);
    } else if (fence) {
      const [language = '', ...marks] = fence[1]!.trim().split(/\s+/);
      open = { language, marks, lines: [] };
    } else {
      heading = /^#+ (.*)$/.exec(line)?.[1] ?? heading;
    }
  }
  return blocks;
}

/** The blocks of one language below one heading of a page; a page that has none is not the page that was meant. */
export async function blocksBelow(page: string, heading: string, language: string): Promise<Block[]> {
  const blocks = (await blocksOf(page)).filter((block) => block.heading === heading && block.language === language);
  if (blocks.length === 0) throw new Error(`${page}: no ${language} block below "${heading}"`);
  return blocks;
}

/** The command lines of a shell block, comments left out; a line that ends in a backslash goes on in the next one. */
export function commandsOf({ text }: Block): string[] {
  return text
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.replace(/(^|\s)#\s.*$/, '').trimEnd())
    .filter((line) => line.trim() !== '');
}

/**
 * Compares what was printed with the output that a page shows. Names of folders, numbers, dates and the engine
 * (redis or valkey) differ from machine to machine; a line of the page that is `…` stands for any.
 */
export function missingLines(output: string, shown: string): string[] {
  const normal = (line: string) =>
    line
      .replace(/\/\S+/g, '/…')
      .replace(/\S+ at \/…/, 'at /…')
      .replace(/[0-9a-f]{6,}…?|\d+(?:[.:-]\d+)*/g, '#')
      .replace(/\b(?:redis|valkey)(?= #| at \/)/g, 'engine')
      .replace(/\s+/g, ' ')
      .trim();
  const printed = normal(output.replaceAll('\n', ' '));
  return shown.split('\n').filter((line) => !/^…?$/.test(line.trim()) && !printed.includes(normal(line)));
}
