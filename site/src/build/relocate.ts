/**
 * Makes every address of a built site relative, so that it works from whatever folder it is served from. VitePress
 * writes absolute addresses below one base; that base is a placeholder, which becomes relative in pages and styles, and
 * in scripts the folder that the first page was loaded from.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from '@babel/parser';

export const PLACEHOLDER = '/__base__/';
const GLOBAL = 'globalThis.__docsBase';

export async function relocate(folder: string): Promise<void> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => /\.(html|css|js)$/.test(name));
  for (const name of files) {
    const text = await readFile(join(folder, name), 'utf8');
    if (!text.includes(PLACEHOLDER)) continue;
    await writeFile(join(folder, name), relocated(name, text));
  }
}

function relocated(name: string, text: string): string {
  const up = '../'.repeat(name.split('/').length - 1) || './';
  if (name.endsWith('.js')) return relocatedScript(text);
  if (name.endsWith('.css')) return text.replaceAll(PLACEHOLDER, up);
  const script = `<script>${GLOBAL}=new URL("${up}",location.href).pathname</script>`;
  return text
    .replace(`\\"base\\":\\"${PLACEHOLDER}\\"`, '\\"base\\":\\"\\"')
    .replace(/(__VP_SITE_DATA__=JSON\.parse\("(?:[^"\\]|\\.)*"\))/, `$1;__VP_SITE_DATA__.base=${GLOBAL}`)
    .replaceAll(PLACEHOLDER, up)
    .replace('<head>', `<head>${script}`);
}

/** Splits every literal at the placeholder: `"a/__base__/b"` becomes `("a"+base+"b")`. */
export function relocatedScript(text: string): string {
  const { tokens = [] } = parse(text, { sourceType: 'module', tokens: true });
  let result = '';
  let from = 0;
  for (const token of tokens as readonly { readonly start: number; readonly end: number }[]) {
    const literal = text.slice(token.start, token.end);
    if (token.start < from || !literal.includes(PLACEHOLDER)) continue;
    const quote = literal[0]!;
    const split =
      quote === '"' || quote === "'"
        ? `(${literal.replaceAll(PLACEHOLDER, `${quote}+${GLOBAL}+${quote}`)})`
        : literal.replaceAll(PLACEHOLDER, `\${${GLOBAL}}`);
    result += text.slice(from, token.start) + split;
    from = token.end;
  }
  return result + text.slice(from);
}
