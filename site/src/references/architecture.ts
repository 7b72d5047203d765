/** The picture of the packages: their folders, and which imports which, both read off the sources. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../repository.js';

interface Package {
  readonly name: string;
  /** The stages and concepts that it is divided into. */
  readonly folders: readonly string[];
  /** Names of the packages whose code it imports. */
  readonly imports: ReadonlySet<string>;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function readPackage(folder: string): Package {
  const root = join(repository, 'packages', folder);
  const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string };
  const files = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/(^|\/)testing\//.test(file),
  );
  const imports = files.flatMap((file) =>
    [...readFileSync(join(root, 'src', file), 'utf8').matchAll(/ from '(redkeep|@redkeep\/[a-z]+)[/']/g)].map(
      ([, found]) => found!,
    ),
  );
  const folders = files.filter((file) => file.includes('/')).map((file) => file.split('/')[0]!);
  return { name, folders: [...new Set(folders)].sort(), imports: new Set(imports) };
}

const COLUMN = 7.3;
const CHIP = 24;
const GAP = 8;
const PADDING = 16;
const TITLE = 46;
const colors = { line: '#57606a', package: '#f6f8fa', chip: '#ddf4ff', text: '#1f2328', faint: '#57606a' };

/** Chips in rows, as many as fit beside each other. */
function chips(names: readonly string[], { x, y, width }: Omit<Box, 'height'>): { svg: string[]; height: number } {
  const svg: string[] = [];
  let [left, top] = [0, 0];
  for (const name of names) {
    const wide = Math.ceil(name.length * COLUMN) + 16;
    if (left > 0 && left + wide > width) {
      left = 0;
      top += CHIP + GAP;
    }
    svg.push(
      `  <rect x="${x + left}" y="${y + top}" width="${wide}" height="${CHIP}" rx="6" fill="${colors.chip}"/>`,
      `  <text x="${x + left + wide / 2}" y="${y + top + 16}" text-anchor="middle" font-size="12">${name}</text>`,
    );
    left += wide + GAP;
  }
  return { svg, height: names.length === 0 ? 0 : top + CHIP };
}

function card({ name, folders }: Package, what: string, { x, y, width }: Omit<Box, 'height'>, least = 0) {
  const inside = chips(folders, { x: x + PADDING, y: y + TITLE, width: width - 2 * PADDING });
  const height = Math.max(least, TITLE + inside.height + PADDING);
  return {
    box: { x, y, width, height },
    svg: [
      `  <rect x="${x}" y="${y}" width="${width}" height="${height}" rx="10" fill="${colors.package}" stroke="${colors.line}"/>`,
      `  <text x="${x + PADDING}" y="${y + 20}" font-size="14" font-weight="bold">${name}</text>`,
      `  <text x="${x + PADDING}" y="${y + 37}" font-size="12" fill="${colors.faint}">${what}</text>`,
      ...inside.svg,
    ],
  };
}

const arrow = (x1: number, y1: number, x2: number, y2: number) =>
  `  <line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${colors.line}" stroke-width="1.5" marker-end="url(#tip)"/>`;

/** The cli beside guard and ioredis, all above the client that they import, and the servers below it. */
export function architecturePicture(): string {
  const [client, ioredis, guard, cli] = ['client', 'ioredis', 'guard', 'cli'].map(readPackage) as [
    Package,
    Package,
    Package,
    Package,
  ];
  const known = [
    [cli, guard],
    [cli, client],
    [guard, client],
    [ioredis, client],
  ];
  const found = [client, ioredis, guard, cli].flatMap((one) => [...one.imports].map((name) => `${one.name} ${name}`));
  const drawn = known.map(([from, to]) => `${from!.name} ${to!.name}`);
  if (found.sort().join() !== drawn.sort().join())
    throw new Error(`The picture shows other imports than there are: ${found.join(', ')}`);

  const width = 880;
  const [left, middle, right] = [240, 300, 300];
  const top = card(cli, 'makes, proves and keeps servers', { x: 580, y: 0, width: right });
  const upper = top.box.height;
  const guardCard = card(guard, 'what applications build on it', { x: 250, y: 0, width: middle }, upper);
  const ioredisCard = card(ioredis, 'the client under ioredis’s name', { x: 0, y: 0, width: left - 20 }, upper);
  const y = Math.max(upper, guardCard.box.height) + 40;
  const below = card(client, 'the client: no dependencies', { x: 0, y, width });
  const servers = y + below.box.height + 40;
  const height = servers + 40;
  const bottomOf = ({ box }: { box: Box }) => box.y + box.height;
  const parts = [
    ...ioredisCard.svg,
    ...guardCard.svg,
    ...top.svg,
    ...below.svg,
    arrow(110, bottomOf(ioredisCard), 110, y - 2),
    arrow(400, bottomOf(guardCard), 400, y - 2),
    arrow(730, bottomOf(top), 730, y - 2),
    arrow(580, 60, 552, 60),
    arrow(width / 2, bottomOf(below), width / 2, servers - 2),
    `  <rect x="0.5" y="${servers}" width="${width - 1}" height="38" rx="10" fill="none" stroke="${colors.line}" stroke-dasharray="4 3"/>`,
    `  <text x="${width / 2}" y="${servers + 24}" text-anchor="middle" font-size="13">Redis, Valkey, Dragonfly over TLS: single, Sentinel, Cluster</text>`,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" viewBox="-1 -1 ${width + 2} ${height + 2}">
  <title>The four packages, the folders of each, and which imports which</title>
  <defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="${colors.line}"/></marker></defs>
  <rect x="-1" y="-1" width="${width + 2}" height="${height + 2}" fill="#ffffff"/>
  <g font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif" fill="${colors.text}">
${parts.join('\n')}
  </g>
</svg>
`;
}
