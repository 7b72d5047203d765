import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Every `@example` of the doc comments below a folder, in the order of the files. */
export async function symbolExamples(sources: string): Promise<string[]> {
  const files = await readdir(sources, { recursive: true });
  const found: string[] = [];
  for (const name of files.filter((file) => file.endsWith('.ts') && !/\.test\.|testing\//.test(file)).sort()) {
    const text = await readFile(join(sources, name), 'utf8');
    for (const [, comment] of text.matchAll(/\/\*\*([\s\S]*?)\*\//g)) {
      for (const [, example] of comment!.matchAll(/\s@example\s([\s\S]*?)(?=\n\s*\* @|$)/g))
        found.push(example!.replace(/^\s*\* ?/gm, '').trim());
    }
  }
  return found;
}

/** A module that wraps the example in a function; its imports go to the top, where they have to be. */
export function symbolProgram(example: string, prelude: string): string {
  const imports = example.match(/^import .*$/gm) ?? [];
  return `${[...imports, prelude].join('\n')}
export async function example() {
${example.replace(/^import .*$\n?/gm, '')}
}
`;
}
