/** `docs/compare.md`: what is written by hand, and figures taken from `bench/*.md`, so that they are never other ones. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../repository.js';

const read = (name: string) => readFileSync(join(repository, 'bench', name), 'utf8');

/** Rows of a Markdown table below a heading, as cells, the heading row first. */
function table(text: string, heading: string): string[][] {
  const part = text.slice(text.indexOf(`${heading}\n`));
  if (!text.includes(`${heading}\n`)) throw new Error(`bench: no heading "${heading}"`);
  const lines = part.split('\n').slice(1);
  const from = lines.findIndex((line) => line.startsWith('|'));
  const rows = lines.slice(from);
  const to = rows.findIndex((line) => !line.startsWith('|'));
  return rows
    .slice(0, to)
    .filter((line) => !/^\|[-|]+\|$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((text) => text.trim()),
    );
}

const markdown = ([head = [], ...rows]: readonly (readonly string[])[]) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** The columns and rows that are asked for, by name. */
function part(rows: readonly string[][], columns: readonly string[], names: readonly string[]): string[][] {
  const [head = []] = rows;
  const at = columns.map((column) => {
    const index = head.indexOf(column);
    if (index < 0) throw new Error(`bench: no column "${column}"`);
    return index;
  });
  const chosen = names.map((name) => {
    const row = rows.find(([first]) => first === name);
    if (!row) throw new Error(`bench: no row "${name}"`);
    return row;
  });
  return [head, ...chosen].map((row) => at.map((index) => row[index]!));
}

export function comparisonFigures(): string {
  const results = read('RESULTS.md');
  const [, machine] = /^One run on (.*?)\. Every client/m.exec(results) ?? [];
  const rates = part(
    table(results, '## Rates (commands or values a second, median)'),
    ['case', 'redkeep', 'node-redis', 'ioredis', 'valkey-glide'],
    [
      'GET, 1 caller',
      'GET, 50 callers',
      'GET, 1000 callers',
      'SET, 50 callers',
      'GET over TLS, 1 caller',
      'GET over TLS, 50 callers',
      'GET over TLS, 1000 callers',
      'GET on a cluster, 50 callers',
      'pipeline of 100 GET',
      'MGET of 100',
      'HGETALL of 100',
      'LRANGE of 1000',
      'GET of 1 MB as Buffer',
      'messages of a subscription',
    ],
  );
  const size = read('SIZE.md');
  const memory = read('MEMORY.md');
  return `## Figures

From the reports that \`npm run bench\`, \`bench:size\` and \`bench:memory\` write: [all cases, with spread](../bench/RESULTS.md),
[size](../bench/SIZE.md), [memory](../bench/MEMORY.md), [what safety costs](../bench/SAFETY.md). One machine: ${machine}.
Commands or values a second, each client as it is shipped; run it on yours.

${markdown(rates)}

![Rates relative to node-redis as shipped](../bench/results.svg)

With one caller, where each command waits for the last, all clients wait for the network and are close to each other. The
reports name the goals that are missed.

**Size** (\`redis\` is node-redis 6 with its modules):

${markdown(table(size, '### In a bundle (esbuild, minified; in brackets: gzip)'))}

${markdown(table(size, '### Installed'))}

**A server that stops answering**, while a program issues 1,000,000 SETs of 100 bytes:

${markdown(table(memory, '### 1,000,000 SETs of 100 bytes to a server that is stopped (SIGSTOP)'))}
`;
}
