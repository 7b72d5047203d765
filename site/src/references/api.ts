/** `docs/reference/api.md`: every name that the packages export, from their declarations. */
import { join } from 'node:path';
import { repository } from '../repository.js';
import { cell, codeCell, type Declaration, descriptionOf, exportsOf } from './declarations.js';

export interface EntryPoint {
  /** As it is imported. */
  readonly name: string;
  readonly declarations: string;
  readonly about: string;
}

export const entryPoints: readonly EntryPoint[] = [
  {
    name: 'redkeep',
    declarations: 'packages/client/dist/index.d.ts',
    about: 'The client: see [the client](../client.md), [options](options.md) and [commands](commands.md).',
  },
  {
    name: 'redkeep/node-redis',
    declarations: 'packages/client/dist/node-redis/index.d.ts',
    about: "node-redis 6's names and nothing else: see [migrating from node-redis](../migrating-from-node-redis.md).",
  },
  {
    name: 'redkeep/ioredis',
    declarations: 'packages/client/dist/ioredis/index.d.ts',
    about:
      "ioredis's shapes, also as `@redkeep/ioredis` for npm aliases: see [migrating from ioredis](../migrating-from-ioredis.md).",
  },
  {
    name: '@redkeep/guard',
    declarations: 'packages/guard/dist/index.d.ts',
    about: 'Components for applications: see [guard](../guard.md).',
  },
  {
    name: '@redkeep/guard/needs',
    declarations: 'packages/guard/dist/needs.d.ts',
    about:
      'What components need on a server, for tools that make users: see [guard](../guard.md#what-a-component-needs-on-the-server).',
  },
];

export const publicNames = ({ declarations }: EntryPoint): ReadonlyMap<string, Declaration> =>
  exportsOf(join(repository, declarations));

/** What a declaration is where no comment says it: short types in full, of others their fields or parent. */
function shapeOf({ kind, text, members }: Declaration): string {
  const line = text.replace(/\s+/g, ' ').replace(/;$/, '');
  const short = (code: string) => (code.length <= 100 ? codeCell(code) : '');
  if (kind === 'type') return short(line.replace(/^type [^=]+= /, ''));
  if (kind === 'function') return short(line.replace(/^(?:declare )?function \w+/, ''));
  if (kind === 'value') return short(line.replace(/^(?:declare )?const \w+: /, ''));
  if (kind === 'interface' && members.length > 0) return members.map(({ name }) => `\`${name}\``).join(', ');
  const parent = / extends (\w+)/.exec(line)?.[1];
  return parent ? `a \`${parent}\`` : '';
}

/** The first sentence of a doc comment. */
function summaryOf(comment: string): string {
  const whole = descriptionOf(comment);
  return /^.*?[.:;](?= |$)/.exec(whole)?.[0].replace(/[:;]$/, '.') ?? whole;
}

export function apiPage(): string {
  const sections = entryPoints.map((entry) => {
    const all = [...publicNames(entry)].sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));
    const rows = all.map(
      ([name, declaration]) =>
        `| \`${name}\` | ${declaration.kind} | ${cell(summaryOf(declaration.comment)) || shapeOf(declaration)} |`,
    );
    return `## ${entry.name}\n\n${entry.about}\n\n| name | kind | what it is |\n|---|---|---|\n${rows.join('\n')}`;
  });
  return `# API

Every name that the packages export, from their declarations. \`@redkeep/cli\` exports nothing: it is the command
[\`redkeep\`](cli.md). The whole API with parameters, types and examples is what your editor shows, and is part of the
documentation site (\`npm run docs\`).

${sections.join('\n\n')}
`;
}
