/** Pictures that are drawn from the repository. The one of a terminal shows what docs/get-started.md shows, which a journey compares with what is printed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../repository.js';
import { architecturePicture } from './architecture.js';

const COLUMN = 8.4;
const LINE = 20;
const MARGIN = 20;
const colors = { command: '#9ecbff', success: '#85e89d', text: '#e1e4e8', background: '#1f2428' };
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function colorOf(line: string): string {
  if (line.startsWith('$ ')) return colors.command;
  return line.startsWith('✓ ') ? colors.success : colors.text;
}

/** The commands below a heading, each after a prompt, and what they print, in the order of the page. */
function transcript(page: string, heading: string): string[] {
  const text = readFileSync(join(repository, page), 'utf8');
  const part = text.split('\n## ').find((one) => one.startsWith(`${heading}\n`)) ?? '';
  const lines = [...part.matchAll(/^```(sh|text output)\n([\s\S]*?)\n```/gm)].flatMap(([, kind, block]) =>
    block!.split('\n').map((line) => (kind === 'sh' ? `$ ${line}` : line)),
  );
  if (lines.length === 0) throw new Error(`${page}: no commands with output below "${heading}"`);
  return lines;
}

/** Each line has a set width, so that columns stand below each other in whatever fixed-width font the reader has. */
function terminalPicture(title: string, lines: readonly string[]): string {
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * COLUMN) + 2 * MARGIN;
  const height = lines.length * LINE + 2 * MARGIN;
  const rows = lines.map(
    (line, at) =>
      `  <text x="${MARGIN}" y="${MARGIN + at * LINE + 14}" textLength="${(line.length * COLUMN).toFixed(1)}" fill="${colorOf(line)}" xml:space="preserve">${escaped(line)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">
  <title>${escaped(title)}</title>
  <rect width="${width}" height="${height}" rx="8" fill="${colors.background}"/>
  <g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="14">
${rows.join('\n')}
  </g>
</svg>
`;
}

export const pictures = () => [
  { path: 'docs/images/architecture.svg', text: architecturePicture() },
  {
    path: 'docs/images/terminal-status.svg',
    text: terminalPicture(
      'redkeep up and redkeep status in a terminal',
      transcript('docs/get-started.md', '2. Start it'),
    ),
  },
];
