import { basename, dirname, join } from 'node:path';
import type { Directive } from '../facts/facts.js';
import type { FileFinding, Location } from '../facts/project-facts.js';
import { isReference } from '../facts/reference.js';
import {
  isAboutServers,
  isClearSecret,
  plaintextFindings,
  urlFindings,
  type Variable,
  verificationFindings,
} from './client-urls.js';
import { type ServerStart, serverStart, serverStartOfScript, splitWords } from './command-line.js';
import { parseEnvFile } from './compose/env-file.js';
import { describeContainer } from './described-container.js';
import { type ImageRecipe, readRecipeFile, runWords } from './image-recipe.js';
import { addReading, emptyReading, type Reading } from './reading.js';
import { serverImageOf } from './server-image.js';
import { readTextFile } from './text-file.js';
import { readStartedServer } from './unit-reading.js';

/** Files that hold placeholders for a person to fill in. */
const isSample = (file: string): boolean =>
  /\.(example|sample|template|dist|tpl|defaults?)$|example/i.test(basename(file));

/** Patterns of a `.gitignore` that keep a file out of the repository; enough of their syntax for files in one folder. */
async function isIgnored(file: string): Promise<boolean> {
  let folder = dirname(file);
  for (let depth = 0; depth < 20; depth++) {
    const text = await readTextFile(join(folder, '.gitignore')).catch(() => '');
    let ignored = false;
    for (const row of text.split('\n').map((one) => one.trim())) {
      if (row === '' || row.startsWith('#')) continue;
      const pattern = row.replace(/^!/, '').replace(/^(\*\*)?\//, '');
      const expression = new RegExp(
        `^${pattern
          .replace(/[.+^${}()|[\]\\]/g, '\\$&')
          .replace(/\*+/g, '.*')
          .replace(/\?/g, '.')}$`,
      );
      if (expression.test(basename(file))) ignored = !row.startsWith('!');
    }
    if (ignored) return true;
    if (folder === dirname(folder)) return false;
    folder = dirname(folder);
  }
  return false;
}

/** A `.env` file: passwords and addresses of servers. `local` are names of services on the same machine. */
export async function readEnvironmentFile(file: string, local: ReadonlySet<string>): Promise<Reading> {
  const reading = emptyReading();
  const variables = parseEnvFile(await readTextFile(file), file).map(({ name, value = '', at }) => ({
    name,
    value,
    at,
  }));
  reading.findings.push(
    ...variables.flatMap((one) => urlFindings(one, local)),
    ...verificationFindings(variables),
    ...plaintextFindings(variables, local),
  );
  if (isSample(file) || (await isIgnored(file))) return reading;
  for (const variable of variables)
    if (isAboutServers(variable) && isClearSecret(variable) && !isPlaceholder(variable.value))
      reading.findings.push({
        issue: 'secret-in-clear',
        about: variable.name,
        at: variable.at,
        detail: `${variable.name} is written out, and no .gitignore keeps ${basename(file)} out of the repository`,
        remedy:
          'Keep the file out of the repository (.gitignore) and readable by its owner only, or use a secret manager; rotate the secret',
      });
  return reading;
}

const isPlaceholder = (value: string): boolean => /^(x{3,}|\*{3,}|your[-_ ]|<)/i.test(value);

/** Files that must not be in an image. */
const secretFile = /(^|\/)(\.env(\.\w+)?|id_(rsa|ed25519)|.*\.(key|p12|pfx)|.*[-_.]?password(\.txt)?|users\.acl)$/i;

/** A Dockerfile or Containerfile. `isUsed`: a Compose service builds it, and says more about its server. */
export async function readRecipe(file: string, isUsed: boolean): Promise<Reading> {
  const reading = emptyReading();
  const recipe = await readRecipeFile(file);
  const at = recipe.command?.[0]?.at ?? recipe.entrypoint?.[0]?.at ?? recipe.baseAt;
  const image = serverImageOf(recipe.base);
  const described = await describeContainer({
    name: basename(file),
    at,
    image: recipe.base,
    ...(recipe.entrypoint && { entrypoint: recipe.entrypoint }),
    ...(recipe.command && { command: recipe.command }),
    environment: new Map(recipe.variables.map((one) => [one.name, one])),
    read: async (path) => {
      const found = await recipe.hostPathOf(path);
      return found === undefined ? undefined : { text: await readTextFile(found), at: { file: found, line: 1 } };
    },
    hostNetwork: false,
    ...(recipe.user !== undefined && { user: recipe.user }),
  });
  const { isServer } = described;
  const add = (issue: FileFinding['issue'], about: string, place: Location, detail: string, remedy: string): void => {
    reading.findings.push({ issue, about, at: place, detail, remedy });
  };
  for (const variable of [...recipe.variables, ...recipe.arguments])
    if (isServer ? isClearSecret(variable) : isAboutServers(variable) && isClearSecret(variable))
      add(
        'secret-in-clear',
        variable.name,
        variable.at,
        `${variable.name} is a layer of the image: everyone who can pull it reads it`,
        'Give it at the start, as a secret (RUN --mount=type=secret for a build)',
      );
  reading.findings.push(
    ...recipe.variables.flatMap((one) => urlFindings(one)),
    ...verificationFindings(recipe.variables),
  );
  if (!isServer) return reading;
  // An image of a distribution has no entry point that leaves root.
  const isBare = image === undefined && recipe.user === undefined;
  const root = described.root ?? (isBare ? 'no USER is set' : undefined);
  if (root !== undefined)
    add('root-user', 'USER', recipe.userAt ?? at, `${basename(file)}: ${root}`, "USER with the server's own user");
  for (const { source, at: place } of recipe.copies)
    if (secretFile.test(source))
      add('secret-in-clear', source, place, `${source} is copied into the image`, 'Mount it at the start, as a secret');
  for (const { words, at: place } of runWords(recipe)) {
    const text = words.join(' ');
    if (
      /\b(requirepass|masterauth)\s+[^\s$"']+|user\s+\S+\s+on\s+>\S+/.test(text) &&
      !isReference(text.replace(/^[\s\S]*?(requirepass|masterauth|>)/, ''))
    )
      add(
        'secret-in-clear',
        'RUN',
        place,
        'a command of RUN writes a password into the image',
        'Write it at the start, from a secret',
      );
  }
  if (isUsed) return reading;
  const changed = runSettings(recipe);
  if (described.server)
    reading.servers.push({
      ...described.server,
      subject: file,
      directives: [...described.server.directives, ...changed],
    });
  for (const { name, at: place } of described.secrets) {
    if (reading.findings.some((one) => one.at.file === place.file && one.at.line === place.line)) continue;
    add('secret-in-clear', name, place, `${name} is part of the image`, 'Give it at the start, as a secret');
  }
  return reading;
}

/** Settings that a command of RUN writes into a configuration file: `echo "requirepass x" >>`, `sed -i s/…/…/`. */
function runSettings(recipe: ImageRecipe): Directive[] {
  const setting =
    /\b(protected-mode|bind|requirepass|enable-(?:debug|module|protected)-\w+|port)\s+([^\s"'/;\\]+(?: [\d.:*-]+)*)/g;
  return runWords(recipe).flatMap(({ words, at }) => {
    const [program = ''] = words;
    // Of a replacement only what it puts in counts.
    const texts = /sed$/.test(program)
      ? words
          .slice(1)
          .flatMap((word) =>
            [...word.matchAll(/s([/|#,])(?:(?!\1).)*\1((?:(?!\1).)*)\1/g)].map(([, , put = '']) => put),
          )
      : /^(echo|printf)$/.test(program)
        ? words.slice(1)
        : [];
    return texts.flatMap((text) =>
      [...text.matchAll(setting)].map(([, name = '', value = '']) => ({
        name,
        args: value.split(' '),
        file: at.file,
        line: at.line,
      })),
    );
  });
}

interface Starter {
  readonly name: string;
  readonly at: Location;
  readonly start: ServerStart | undefined;
  readonly user?: string;
  readonly variables?: readonly Variable[];
}

/** Programs of supervisord: `command`, `user` and `environment` of each. */
function supervisorPrograms(text: string, file: string): Starter[] {
  const programs: { name: string; values: Map<string, { text: string; at: Location }> }[] = [];
  for (const [index, row] of text.split('\n').entries()) {
    const [, name] = /^\[program:([^\]]+)\]/.exec(row) ?? [];
    if (name !== undefined) programs.push({ name, values: new Map() });
    else if (/^\[/.test(row)) programs.push({ name: '', values: new Map() });
    const [, key, value] = /^(\w+)\s*=\s*(.*?)\s*(?:\s;.*)?$/.exec(row) ?? [];
    if (key !== undefined && value !== undefined)
      programs.at(-1)?.values.set(key, { text: value, at: { file, line: index + 1 } });
  }
  return programs.flatMap(({ name, values }): Starter[] => {
    const command = values.get('command');
    if (name === '' || !command) return [];
    const environment = values.get('environment');
    const variables = environment
      ? [...environment.text.matchAll(/(\w+)=(?:"([^"]*)"|'([^']*)'|([^,]*))/g)].map(([, key = '', a, b, c]) => ({
          name: key,
          value: a ?? b ?? c ?? '',
          at: environment.at,
        }))
      : [];
    const start = serverStart(splitWords(command.text).map((word) => ({ text: word, at: command.at })));
    return [{ name, at: command.at, start, user: values.get('user')?.text ?? '', variables }];
  });
}

/** `DAEMON_ARGS="…"` of /etc/default, and whatever an init script starts. */
function scriptStarters(text: string, file: string): Starter[] {
  const place = (line: number): Location => ({ file, line: line + 1 });
  const name = basename(file);
  for (const [index, row] of text.split('\n').entries()) {
    const [, value] =
      /^\s*(?:export\s+)?(?:DAEMON_ARGS|DAEMON_OPTS|OPTIONS|REDIS_ARGS|REDIS_OPTS|ARGS|command_args)=["']?(.*?)["']?\s*$/.exec(
        row,
      ) ?? [];
    if (value === undefined) continue;
    const words = ['redis-server', ...splitWords(value)].map((text) => ({ text, at: place(index) }));
    return [{ name, at: place(index), start: serverStart(words) }];
  }
  const start = serverStartOfScript(text.replace(/^\w+:\s*(?=\S)/gm, ''), place);
  const at = start?.options[0]?.at ?? place(0);
  return [{ name, at, start }];
}

/** supervisord, /etc/default, init scripts, Procfiles. */
export async function readStarter(file: string, configs: readonly string[]): Promise<Reading> {
  const reading = emptyReading();
  const text = await readTextFile(file);
  const isSupervisor = /^\[(program:|supervisord)/m.test(text);
  for (const { name, at, start, user, variables = [] } of isSupervisor
    ? supervisorPrograms(text, file)
    : scriptStarters(text, file)) {
    reading.findings.push(...verificationFindings(variables), ...plaintextFindings(variables));
    for (const variable of variables) {
      if (isAboutServers(variable) && isClearSecret(variable))
        reading.findings.push({
          issue: 'secret-in-clear',
          about: variable.name,
          at: variable.at,
          detail: `${name} holds ${variable.name}`,
          remedy: 'A file that only the service reads',
        });
      reading.findings.push(...urlFindings(variable));
    }
    if (!start) continue;
    addReading(reading, await readStartedServer({ name, at, start, configs }));
    if (isSupervisor && (user === '' || user === 'root'))
      reading.findings.push({
        issue: 'root-user',
        about: name,
        at,
        detail: `program ${name} runs as the user of supervisord, which is root unless it was started otherwise`,
        remedy: 'user=redis',
      });
  }
  return reading;
}
