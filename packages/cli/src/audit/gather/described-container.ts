import { posix } from 'node:path';
import { parseAclUser } from '../facts/acl-user.js';
import { observed } from '../facts/fact.js';
import type { AclFile, Directive } from '../facts/facts.js';
import type { Location } from '../facts/project-facts.js';
import { isReference, referenceTo } from '../facts/reference.js';
import { serverUrls } from './client-urls.js';
import { type ServerStart, serverStart, serverStartOfScript, type Word } from './command-line.js';
import { parseDirectives } from './config-file.js';
import type { DescribedServer } from './file-node.js';
import { type ServerImage, serverImageOf, versionOfImage } from './server-image.js';

/** A file as a container sees it, with the place of its first line. */
export interface MountedFile {
  readonly text: string;
  readonly at: Location;
}

/** A container before anything is known of what it runs. */
export interface ContainerSource {
  readonly name: string;
  readonly at: Location;
  readonly image: string;
  /** Undefined where the image's own is used. */
  readonly entrypoint?: readonly Word[];
  readonly command?: readonly Word[];
  readonly environment: ReadonlyMap<string, { readonly value: string; readonly at: Location }>;
  /** Reads a path of the container, where a mount, a config or a ConfigMap puts a file of the project there. */
  readonly read: (path: string) => Promise<MountedFile | undefined>;
  readonly hostNetwork: boolean;
  /** The user that the file names. */
  readonly user?: string;
}

/** A secret in clear, and where it is written. */
export interface WrittenSecret {
  readonly name: string;
  readonly at: Location;
}

export interface DescribedContainer {
  readonly isServer: boolean;
  readonly server?: DescribedServer;
  /** Secrets that are written out in the command or in a mounted configuration file. */
  readonly secrets: readonly WrittenSecret[];
  /** Why the server's process is root. */
  readonly root?: string;
}

const yes = /^(yes|true|on|1)$/i;

/** Values of the container's environment where a command names them; others stay as they are written. */
function withEnvironment(text: string, environment: ContainerSource['environment']): string {
  return text.replace(
    /\$(?:\{(\w+)(?::?-([^}]*))?\}|\((\w+)\)|(\w+))/g,
    (whole, a: string, fallback: string, b: string, c: string) => {
      const known = environment.get(a ?? b ?? c)?.value;
      return known ?? fallback ?? whole;
    },
  );
}

/** Directives of a mounted configuration file with what it includes. */
async function directivesOf(
  path: string,
  source: ContainerSource,
  seen: ReadonlySet<string> = new Set(),
): Promise<Directive[] | undefined> {
  const found = seen.has(path) ? undefined : await source.read(path);
  if (found === undefined) return undefined;
  const all: Directive[] = [];
  for (const one of parseDirectives(found.text, found.at.file)) {
    const own = { ...one, line: one.line + found.at.line - 1 };
    all.push(own);
    const target = own.name === 'include' ? own.args[0] : undefined;
    if (target === undefined) continue;
    const included = posix.resolve(posix.dirname(path), target);
    all.push(...((await directivesOf(included, source, new Set([...seen, path]))) ?? []));
  }
  return all;
}

async function aclOf(directives: readonly Directive[], source: ContainerSource): Promise<AclFile | null | undefined> {
  const path = directives.findLast(({ name }) => name === 'aclfile')?.args[0];
  if (!path) return null;
  const found = await source.read(posix.resolve('/data', path));
  if (found === undefined) return undefined;
  const users = found.text.split('\n').flatMap((line, index) => parseAclUser(line, found.at.line + index) ?? []);
  return { file: { path: found.at.file, mode: 0o600, uid: 0, gid: 0 }, users };
}

/** `--name value` words in a variable, as the images of Redis Stack, Valkey and Bitnami take them. */
function optionsOfVariable(name: string, { environment }: ContainerSource): Directive[] {
  const found = environment.get(name);
  if (!found) return [];
  const words = [{ text: 'redis-server', at: found.at }, ...wordsOf(found.value, found.at)];
  return directivesOfOptions(serverStart(words), environment);
}

function wordsOf(text: string, at: Location): Word[] {
  return (text.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) => ({ text: word.replace(/^(["'])(.*)\1$/, '$2'), at }));
}

function directivesOfOptions(start: ServerStart | undefined, environment: ContainerSource['environment']): Directive[] {
  return (start?.options ?? []).map(({ name, args, at }) => ({
    name,
    args: args.map((word) => withEnvironment(word, environment)),
    file: at.file,
    line: at.line,
  }));
}

function given(name: string, value: string | undefined, at: Location): Directive[] {
  return value === undefined ? [] : [{ name, args: [value], file: at.file, line: at.line }];
}

/** Settings that an image takes from variables. */
function directivesOfVariables(
  image: ServerImage,
  source: ContainerSource,
): { directives: Directive[]; unknown?: string } {
  const { environment } = source;
  const variable = (name: string): { value: string; at: Location } | undefined => environment.get(name);
  if (image.family === 'stack') return { directives: [...optionsOfVariable('REDIS_ARGS', source)] };
  if (image.family === 'official')
    return {
      directives: optionsOfVariable(image.engine === 'valkey' ? 'VALKEY_EXTRA_FLAGS' : 'REDIS_EXTRA_FLAGS', source),
    };
  if (image.family === 'dragonfly') {
    const flags = [...environment].filter(([name]) => /^DFLY_/.test(name));
    return {
      directives: flags.flatMap(([name, { value, at }]) =>
        given(name === 'DFLY_PASSWORD' ? 'requirepass' : name.slice(5).toLowerCase(), value, at),
      ),
    };
  }
  if (image.family !== 'bitnami') return { directives: [] };
  const prefix = image.engine.toUpperCase();
  const at = source.at;
  const of = (name: string): { value: string; at: Location } | undefined => variable(`${prefix}_${name}`);
  const file = of('PASSWORD_FILE');
  const password = of('PASSWORD') ?? (file && { value: referenceTo('FILE'), at: file.at });
  const isOpen = yes.test(variable('ALLOW_EMPTY_PASSWORD')?.value ?? '');
  const tls = yes.test(of('TLS_ENABLED')?.value ?? '');
  const tlsPort = of('TLS_PORT_NUMBER') ?? of('TLS_PORT');
  const port = of('PORT_NUMBER') ?? of('PORT');
  const acl = of('ACLFILE');
  const directives = [
    ...given('port', tls ? (port?.value ?? '0') : (port?.value ?? '6379'), port?.at ?? at),
    ...(tls ? given('tls-port', tlsPort?.value ?? '6379', tlsPort?.at ?? at) : []),
    ...(tls ? given('tls-auth-clients', of('TLS_AUTH_CLIENTS')?.value ?? 'yes', at) : []),
    ...(password && password.value !== '' ? given('requirepass', password.value, password.at) : []),
    ...(acl ? given('aclfile', acl.value, acl.at) : []),
    ...optionsOfVariable(`${prefix}_EXTRA_FLAGS`, source),
  ];
  // Without a password the image does not start, unless a variable says that an empty one is meant.
  return password || isOpen || acl
    ? { directives }
    : { directives, unknown: `${prefix}_PASSWORD is not in the files, and the image does not start without it` };
}

/** Where images look for a configuration file that no argument names. */
const usualFiles: Readonly<Record<ServerImage['family'], readonly string[]>> = {
  official: [],
  other: ['/etc/keydb/keydb.conf'],
  stack: ['/redis-stack.conf'],
  dragonfly: [],
  bitnami: [
    '/opt/bitnami/redis/mounted-etc/redis.conf',
    '/opt/bitnami/redis/etc/redis.conf',
    '/opt/bitnami/redis/mounted-etc/overrides.conf',
    '/opt/bitnami/valkey/mounted-etc/valkey.conf',
    '/opt/bitnami/valkey/etc/valkey.conf',
    '/opt/bitnami/valkey/mounted-etc/overrides.conf',
  ],
};

/** The start that the container's words mean: the image's own program where they are only its arguments. */
async function startOf(
  source: ContainerSource,
  image: ServerImage | undefined,
): Promise<ServerStart | 'image' | 'unknown' | 'none'> {
  const words = [...(source.entrypoint ?? []), ...(source.command ?? [])];
  const direct = serverStart(words);
  if (direct) return direct;
  if (image === undefined) return 'none';
  const [first] = words;
  if (first === undefined) return 'image';
  const program = image.engine === 'dragonfly' ? 'dragonfly' : `${image.engine}-server`;
  // The entry points of the official images: arguments, or a configuration file alone.
  if (source.entrypoint === undefined && /^-|\.conf$/.test(first.text))
    return serverStart([{ text: program, at: first.at }, ...words]) ?? 'image';
  for (const { text, at } of words) {
    const inline = /\s/.test(text) ? { text, at } : undefined;
    const script = inline ?? (text.startsWith('/') ? await source.read(text) : undefined);
    const start =
      script &&
      serverStartOfScript(script.text, (line) => ({
        file: script.at.file,
        line: script.at.line + (inline ? 0 : line),
      }));
    if (start) return start;
  }
  const line = words.map(({ text }) => text).join(' ');
  // A script of the project or of the image may start a server; a client's command does not.
  if (
    /(redis|valkey)-(cli|benchmark|check-\w+)\b|^(sleep|tail|true|echo|ls|cat|sh|bash)\b/.test(line) &&
    !/\.sh\b/.test(line)
  )
    return 'none';
  return /docker-entrypoint\.sh$|entrypoint\.sh$|run\.sh$/.test(first.text) && words.length === 1 ? 'image' : 'unknown';
}

function rootReason(
  source: ContainerSource,
  image: ServerImage | undefined,
  start: ServerStart | 'image' | 'unknown',
): string | undefined {
  const { user } = source;
  if (user !== undefined) return /^(0|root)(:|$)/.test(user) ? `it runs as ${user}` : undefined;
  if (image === undefined || image.family === 'bitnami' || image.family === 'dragonfly') return undefined;
  if (image.family === 'stack') return 'the image runs as root, and no user is set';
  if (typeof start === 'string') return undefined;
  const words = [...(source.entrypoint ?? []), ...(source.command ?? [])];
  if (words.some(({ text }) => /(^|\/)(docker-entrypoint\.sh|gosu|su-exec|setpriv|runuser)$/.test(text)))
    return undefined;
  if (start.viaShell && !words.some(({ text }) => /\b(gosu|su-exec|setpriv|docker-entrypoint\.sh)\b/.test(text)))
    return 'a shell starts the server, so that the image does not leave root, and no user is set';
  return source.entrypoint !== undefined && source.entrypoint.length > 0
    ? 'the entry point of the image, which leaves root, is replaced, and no user is set'
    : undefined;
}

/** What a container runs, as far as the files say it. */
export async function describeContainer(source: ContainerSource): Promise<DescribedContainer> {
  const image = serverImageOf(source.image);
  const start = await startOf(source, image);
  if (start === 'none') return { isServer: false, secrets: [] };
  const reason = rootReason(source, image, start);
  const root = reason === undefined ? {} : { root: reason };
  const known: ServerImage = image ?? {
    engine: typeof start !== 'string' && start.program.startsWith('valkey') ? 'valkey' : 'redis',
    family: 'other',
  };
  const variables = image ? directivesOfVariables(image, source) : { directives: [] };
  const directives: Directive[] = [...variables.directives];
  let unknown = variables.unknown;
  if (start === 'unknown') unknown = `${source.name} starts with a script that is not among the files`;
  const configFile = typeof start === 'string' ? undefined : start.configFile;
  const secrets: WrittenSecret[] = [];
  const files = configFile === undefined ? usualFiles[known.family] : [configFile];
  for (const file of files) {
    const path = posix.resolve('/data', withEnvironment(file, source.environment));
    const found = await directivesOf(path, source);
    if (found) {
      directives.push(...found);
      secrets.push(...clearSecretsOf(found));
    } else if (configFile !== undefined) unknown = `${source.name} starts with ${file}, which is not among the files`;
  }
  if (typeof start !== 'string') {
    directives.push(...directivesOfOptions(start, source.environment));
    secrets.push(...clearSecretsOf(directivesOfOptions(start, new Map())));
  }
  if (typeof start !== 'string' && start.isSentinel && !directives.some(({ name }) => name === 'sentinel'))
    directives.push({ name: 'sentinel', args: [], file: source.at.file, line: source.at.line });
  const acl = await aclOf(directives, source);
  const version = versionOfImage(source.image);
  return {
    isServer: true,
    secrets,
    ...root,
    server: {
      subject: `${source.at.file}: ${source.name}`,
      engine: known.engine,
      ...(version !== undefined && { version }),
      at: source.at,
      container: { hostNetwork: source.hostNetwork },
      directives,
      ...(unknown !== undefined && { unknown }),
      acl:
        acl === undefined
          ? { observed: false, reason: `the ACL file of ${source.name} is not among the files` }
          : observed(acl, source.at.file),
      packaged: { 'protected-mode': 'no' },
    },
  };
}

function secretOf(name: string, args: readonly string[]): boolean {
  const secret =
    name === 'sentinel' && /^(auth-pass|sentinel-pass)$/.test(args[0] ?? '')
      ? args.at(-1)
      : /^(requirepass|masterauth|primaryauth|tls-(client-)?key-file-pass)$/.test(name)
        ? args[0]
        : name === 'user'
          ? args.find((rule) => rule.startsWith('>'))
          : undefined;
  return Boolean(secret) && !isReference(secret ?? '');
}

/** Secrets in the command of a client, an exporter, a web interface: everyone who lists processes reads them. */
export function commandSecrets(words: readonly Word[]): WrittenSecret[] {
  const texts = words.map(({ text }) => text);
  return words.flatMap(({ text, at }, index) => {
    const isOption =
      /^(-a|--pass|--redis\.password|--redis-password)$/.test(texts[index - 1] ?? '') &&
      /cli|exporter|redis|valkey/.test(texts.join(' '));
    const inline = /(?:--redis[.-]password=|--pass[= ]|-cli\b[^;&|]*? -a +["']?)([^\s"']+)/.exec(text)?.[1];
    const address = serverUrls(text).find(({ password }) => password !== '')?.password;
    const secret = isOption ? text : (inline ?? address);
    return secret !== undefined && !isReference(secret) ? [{ name: 'a password in the command', at }] : [];
  });
}

/** Secrets among directives that are written out there; those that come from a variable are judged at the variable. */
export function clearSecretsOf(directives: readonly Directive[]): WrittenSecret[] {
  return directives.flatMap(({ name, args, file, line }) =>
    secretOf(name, args) ? [{ name: name === 'sentinel' ? args.slice(0, 2).join(' ') : name, at: { file, line } }] : [],
  );
}
