/** `docs/reference/commands.md`: every command method of a client, from its declaration, its source and the command table. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DANGEROUS_COMMANDS } from '../../../packages/client/dist/commands/dangerous-commands.js';
import { ALIASES, COMMANDS } from '../../../packages/client/dist/commands/index.js';
import { NAMESPACES } from '../../../packages/client/dist/commands/namespaces.js';
import { COMMAND_TABLE } from '../../../packages/client/dist/commands/table.js';
import { EXTRA_TABLE } from '../../../packages/client/dist/commands/table-extra.js';
import { repository } from '../repository.js';
import { cell, codeCell, type Declaration, declarationsOf, descriptionOf } from './declarations.js';

const folder = 'packages/client/src/commands';
const NAMESPACE_FILES: Readonly<Record<string, readonly string[]>> = {
  bf: ['bloom/bf'],
  cf: ['bloom/cf'],
  cms: ['bloom/cms'],
  tDigest: ['bloom/t-digest'],
  topK: ['bloom/top-k'],
  json: ['json/json'],
  ft: ['search/ft'],
  ts: ['time-series/ts', 'time-series/m-range'],
};

interface Method {
  /** As it is called: `json.get`. */
  readonly name: string;
  readonly uppercase: string;
  /** As the server names it; empty where the method chooses among several. */
  readonly command: string;
  readonly signature: string;
  readonly description: string;
}

interface Group {
  readonly title: string;
  readonly methods: readonly Method[];
}

/** What a method sends, by the constant of its source: `const GET = spec('GET')`. */
function wireNames(file: string): (method: string) => string {
  const text = readFileSync(join(repository, folder, `${file}.ts`), 'utf8');
  const specs = new Map(
    [...text.matchAll(/^const (\w+)(?:: \w+)? = spec\('([^']+)'/gm)].map(([, name, command]) => [name!, command!]),
  );
  return (method) => {
    const body = new RegExp(
      `^export (?:const|function) ${method}\\b[\\s\\S]*?(?=^(?:export|const|/\\*\\*)|$(?![\\s\\S]))`,
      'm',
    ).exec(text)?.[0];
    const used = new Set([...(body ?? '').matchAll(/\b[A-Z][A-Z0-9_]+\b/g)].map(([name]) => specs.get(name)));
    const names = [...used].filter((name) => name !== undefined);
    return names.length === 1 ? names[0]! : '';
  };
}

const isCommand = (name: string) => COMMAND_TABLE[name] !== undefined || EXTRA_TABLE[name] !== undefined;

/** For methods made by a factory: the longest command that the method's name begins with. */
function nearestCommand(prefix: string, method: string): string {
  const word = `${prefix}${method}`.toUpperCase();
  for (let length = word.length; length > prefix.length + 2; length--) {
    const candidates = [word.slice(0, length), word.slice(0, length).replace(/RO$/, '_RO')];
    const found = candidates.find(isCommand);
    if (found !== undefined) return found;
  }
  return '';
}

/** The declaration of a command function without what is the same for all: `(key: RedisArgument) => Integer`. */
function signatureOf({ text, kind }: Declaration): string {
  const oneLine = text.replace(/\s+/g, ' ');
  const [, types] =
    kind === 'function'
      ? (/^(?:declare )?function \w+([\s\S]*?);?$/.exec(oneLine) ?? [])
      : (/^(?:declare )?const \w+: ([\s\S]*?);?$/.exec(oneLine) ?? []);
  return (types ?? '').replace(/\): Command<([\s\S]*)>$/, ') => $1').replace(/=> Command<([\s\S]*)>$/, '=> $1');
}

function methodsOf(
  files: readonly string[],
  group: Readonly<Record<string, unknown>>,
  prefix: string,
  aliases: Readonly<Record<string, string>>,
): Method[] {
  return files.flatMap((file) => {
    const declared = declarationsOf(join(repository, 'packages/client/dist/commands', `${file}.d.ts`));
    const wire = wireNames(file);
    return Object.entries(group).flatMap(([name, value]) => {
      const declaration = declared.get(name);
      if (typeof value !== 'function' || !declaration) return [];
      return [
        {
          name: `${prefix}${name}`,
          uppercase: `${prefix}${aliases[name] ?? name.toUpperCase()}`,
          command: wire(name) || nearestCommand(prefix, name),
          signature: signatureOf(declaration),
          description: descriptionOf(declaration.comment),
        },
      ];
    });
  });
}

export function commandGroups(): Group[] {
  const files = readdirSync(join(repository, 'packages/client/dist/commands'))
    .filter((file) => file.endsWith('.d.ts') && !/\.test\.|^index|^table/.test(file))
    .map((file) => basename(file, '.d.ts'));
  const seen = new Set<string>();
  const plain = files.flatMap((file) => {
    const methods = methodsOf([file], COMMANDS, '', ALIASES).filter(({ name }) => !seen.has(name));
    for (const { name } of methods) seen.add(name);
    return methods.length > 0 ? [{ title: file.replaceAll('-', ' '), methods }] : [];
  });
  const namespaces = Object.entries(NAMESPACES).map(([name, group]) => ({
    title: `client.${name}`,
    methods: methodsOf(
      NAMESPACE_FILES[name]!,
      group,
      `${name}.`,
      (group as { aliases?: Record<string, string> }).aliases ?? {},
    ),
  }));
  return [...plain, ...namespaces];
}

const FLAGS = [
  [1, 'read'],
  [2, 'write'],
  [4, 'blocks'],
] as const;

function propertiesOf(command: string): string {
  if (command === '') return '';
  const row = COMMAND_TABLE[command] ?? EXTRA_TABLE[command];
  const dangerous = DANGEROUS_COMMANDS.get(command)?.refused === true;
  return [
    ...FLAGS.flatMap(([bit, word]) => (row && row[0] & bit ? [word] : [])),
    ...(dangerous ? ['refused unless allowed'] : []),
  ].join(', ');
}

export function commandsPage(): string {
  const groups = commandGroups();
  const count = groups.reduce((sum, { methods }) => sum + methods.length, 0);
  const sections = groups.map(({ title, methods }) => {
    const rows = methods.map(
      ({ name, uppercase, command, signature, description }) =>
        `| \`${name}\`${uppercase === name.toUpperCase() ? '' : `<br>\`${uppercase}\``} | ${command === '' ? '' : codeCell(command)} | ${signature === '' ? '' : codeCell(signature)} | ${[cell(description), propertiesOf(command) === '' ? '' : `*${propertiesOf(command)}*`].filter(Boolean).join(' ')} |`,
    );
    return `## ${title}\n\n| method | command | arguments and reply | what it does |\n|---|---|---|---|\n${rows.join('\n')}`;
  });
  return `# Commands

The ${count} command methods of a client, from their declarations and from the servers' own description of the commands. Each has
its name in capitals too (\`hGetAll\`, \`HGETALL\`); where that is another word, both are listed. A method returns a promise of
the reply; in \`multi()\` and \`pipeline()\` it returns the transaction. A command without a method runs with
\`client.sendCommand(['NAME', …])\`.

"Read" commands are repeated after a lost connection and may run on replicas; "write" commands are never sent twice; what
"blocks" runs on a connection of its own. What is "refused unless allowed" needs
[\`allowCommands\`](options.md#createclient).

${sections.join('\n\n')}
`;
}
