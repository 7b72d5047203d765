/** `llms.txt` (https://llmstxt.org): every page with its first sentence, and `llms-full.txt` with all hand-written text. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../repository.js';
import type { SidebarGroup } from '../sidebar.js';

const read = (page: string) => readFile(join(repository, 'docs', page), 'utf8');

/** The first paragraph below the title, as one line. */
export function firstSentence(markdown: string): string {
  const paragraph = markdown
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .split(/\n{2,}/)
    .find((part) => part.trim() !== '' && !/^(#|```|\||!|<|- )/.test(part.trim()));
  const line = (paragraph ?? '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  return /^.*?[.:](?= |$)/.exec(line)?.[0].replace(/:$/, '.') ?? line;
}

export async function llmsFiles(sidebar: readonly SidebarGroup[]): Promise<ReadonlyMap<string, string>> {
  const parts: string[] = [];
  const full: string[] = [];
  for (const { text, items } of sidebar) {
    const lines: string[] = [];
    for (const { text: title, link } of items) {
      if (link.startsWith('/api/')) continue;
      const page = `${link.slice(1)}.md`;
      const markdown = await read(page);
      lines.push(`- [${title}](${page.replace(/\.md$/, '.html')}): ${firstSentence(markdown)}`);
      if (!page.startsWith('reference/')) full.push(markdown.trim());
    }
    parts.push(`## ${text}\n\n${lines.join('\n')}`);
  }
  const intro =
    '# Redkeep\n\n> The secure way to run Redis, Valkey and Dragonfly from Node.js: a client, components for applications, and a toolkit that makes, proves and keeps hardened deployments.';
  return new Map([
    ['llms.txt', `${intro}\n\n${parts.join('\n\n')}\n`],
    ['llms-full.txt', `${full.join('\n\n---\n\n')}\n`],
  ]);
}
