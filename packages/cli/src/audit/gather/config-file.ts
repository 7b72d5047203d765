import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type AclUser, parseAclUser } from '../facts/acl-user.js';
import type { AclFile, ConfigFile, Directive, FileFacts } from '../facts/facts.js';

/** Splits a redis.conf line as the server does: words, or quoted text with escapes. */
export function splitArguments(line: string): string[] {
  const words = line.match(/"(?:\\.|[^"\\])*"|'(?:\\'|[^'])*'|\S+/g) ?? [];
  return words.map((word) => {
    if (word.startsWith('"') && word.endsWith('"') && word.length > 1) {
      return word.slice(1, -1).replace(/\\x([0-9a-fA-F]{2})|\\(.)/g, (_, hex: string | undefined, char: string) => {
        if (hex) return String.fromCharCode(Number.parseInt(hex, 16));
        return { n: '\n', r: '\r', t: '\t', b: '\b', a: '\u0007' }[char] ?? char;
      });
    }
    return word.startsWith("'") && word.endsWith("'") && word.length > 1
      ? word.slice(1, -1).replaceAll("\\'", "'")
      : word;
  });
}

/** Reads the directives of one file's text; names are lower-cased. */
export function parseDirectives(text: string, file: string): Directive[] {
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return [];
    const [name, ...args] = splitArguments(line);
    return name === undefined ? [] : [{ name: name.toLowerCase(), args, file, line: index + 1 }];
  });
}

export async function fileFacts(path: string): Promise<FileFacts> {
  const { mode, uid, gid } = await stat(path);
  return { path, mode: mode & 0o7777, uid, gid };
}

/** Reads redis.conf and the files it includes (no glob patterns; each file once). */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const seen = new Set<string>();
  const includes: FileFacts[] = [];
  const read = async (file: string): Promise<Directive[]> => {
    if (seen.has(file)) return [];
    seen.add(file);
    const directives = parseDirectives(await readFile(file, 'utf8'), file);
    const all: Directive[] = [];
    for (const one of directives) {
      all.push(one);
      const target = one.name === 'include' ? one.args[0] : undefined;
      if (target === undefined || target.includes('*')) continue;
      const included = resolve(dirname(file), target);
      includes.push(await fileFacts(included));
      all.push(...(await read(included)));
    }
    return all;
  };
  const file = resolve(path);
  return { file: await fileFacts(file), directives: await read(file), includes };
}

export async function readAclFile(path: string): Promise<AclFile> {
  const lines = (await readFile(path, 'utf8')).split('\n');
  const users = lines
    .map((line, index) => parseAclUser(line, index + 1))
    .filter((user): user is AclUser => user !== undefined);
  return { file: await fileFacts(path), users };
}

/** A path of the configuration, as the server resolves it: relative to the folder it was started in. */
export function resolveServerPath(path: string, workingDirectory: string): string {
  return isAbsolute(path) ? path : join(workingDirectory, path);
}

/** Last value of each directive, arguments joined: comparable with what CONFIG GET reports. */
export function settingsOf(directives: readonly Directive[]): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const { name, args } of directives) {
    // These may be repeated; the server joins them.
    const joined = args.join(' ');
    settings[name] =
      /^(save|client-output-buffer-limit)$/.test(name) && settings[name] && joined !== ''
        ? `${settings[name]} ${joined}`
        : joined;
  }
  return settings;
}
