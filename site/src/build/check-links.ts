/** Every address inside a built site leads to a file of it, and every anchor to an element. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

export async function brokenLinks(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const files = new Set(names);
  const pages = names.filter((name) => name.endsWith('.html') && name !== '404.html');
  const ids = new Map<string, Set<string>>();
  const links = new Map<string, string[]>();
  for (const page of pages) {
    // Scripts hold pages as text; what counts is what a browser shows.
    const html = (await readFile(join(folder, page), 'utf8')).replace(/<script\b[\s\S]*?<\/script>/g, '');
    ids.set(page, new Set([...html.matchAll(/\s(?:id|name)="([^"]+)"/g)].map(([, id]) => decodeEntities(id!))));
    links.set(
      page,
      [...html.matchAll(/\s(?:href|src)="([^"]*)"/g)].map(([, href]) => decodeEntities(href!)),
    );
  }
  const broken: string[] = [];
  for (const [page, targets] of links) {
    for (const target of new Set(targets)) {
      if (/^(?:[a-z][\w+.-]*:|\/\/)/i.test(target)) continue;
      const [path = '', anchor = ''] = target.split('#');
      const named = path.endsWith('/') ? `${path}index.html` : path;
      const whole = named === '' ? page : normalize(join(dirname(page), decodeURIComponent(named.split('?')[0]!)));
      if (path.startsWith('/') || !files.has(whole)) broken.push(`${page}: ${target}`);
      else if (anchor !== '' && ids.has(whole) && !ids.get(whole)!.has(decodeURIComponent(anchor)))
        broken.push(`${page}: ${target}`);
    }
  }
  return broken.sort();
}

const decodeEntities = (text: string) =>
  text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'");
