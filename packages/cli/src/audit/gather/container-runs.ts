import { basename, dirname, resolve } from 'node:path';
import type { FileFinding, Location } from '../facts/project-facts.js';
import { splitShell, splitWords, type Word } from './command-line.js';
import { parseEnvFile } from './compose/env-file.js';
import { readServices } from './compose/service.js';
import { commandSecrets } from './described-container.js';
import { addReading, emptyReading, type Reading } from './reading.js';
import { readTextFile } from './text-file.js';
import { parseUnit } from './units.js';
import { setPlace, type Tree, type TreeMap } from './yaml-tree.js';

/** Options of `run` as the keys of a Compose service that mean the same. */
const lists: Readonly<Record<string, string>> = {
  p: 'ports',
  publish: 'ports',
  v: 'volumes',
  volume: 'volumes',
  'cap-add': 'cap_add',
  'cap-drop': 'cap_drop',
  'security-opt': 'security_opt',
};
const texts: Readonly<Record<string, string>> = {
  network: 'network_mode',
  net: 'network_mode',
  pid: 'pid',
  ipc: 'ipc',
  uts: 'uts',
  u: 'user',
  user: 'user',
  m: 'mem_limit',
  memory: 'mem_limit',
  cpus: 'cpus',
  'pids-limit': 'pids_limit',
};
/** Options that take no value; every other one does. */
const flags =
  /^--(detach|rm|interactive|tty|init|privileged|read-only|publish-all|replace|quiet|no-healthcheck|sig-proxy|no-hosts|oom-kill-disable|systemd)$|^-[ditPq]+$/;

class Service {
  readonly map: TreeMap = {};
  readonly environment: TreeMap = {};

  set(key: string, value: Tree, at: Location): void {
    this.map[key] = value;
    setPlace(this.map, key, at);
  }

  add(key: string, value: string, at: Location): void {
    const list = (this.map[key] ?? []) as Tree[];
    setPlace(list, list.length, at);
    list.push(value);
    this.map[key] = list;
    setPlace(this.map, key, at);
  }

  variable(text: string, at: Location): void {
    const [, name = '', value] = /^([^=]+)=?([\s\S]*)$/.exec(text) ?? [];
    if (name === '' || !text.includes('=')) return;
    this.environment[name] = value ?? '';
    setPlace(this.environment, name, at);
    this.map['environment'] = this.environment;
  }

  /** `type=bind,source=/a,target=/b`. */
  mount(text: string, at: Location): void {
    const parts = new Map(text.split(',').map((part) => [part.replace(/=.*/, ''), part.replace(/^[^=]*=?/, '')]));
    const source = parts.get('source') ?? parts.get('src');
    const target = parts.get('target') ?? parts.get('destination') ?? parts.get('dst');
    if (parts.get('type') === 'bind' && source !== undefined && target !== undefined)
      this.add('volumes', `${source}:${target}`, at);
  }

  /** One option of `run`; options that say nothing about safety are left out. */
  option(name: string, value: string, at: Location): void {
    if (lists[name] !== undefined) this.add(lists[name], value, at);
    else if (texts[name] !== undefined) this.set(texts[name], value, at);
    else if (name === 'privileged') this.set('privileged', value !== 'false', at);
    else if (name === 'read-only') this.set('read_only', value !== 'false', at);
    else if (name === 'entrypoint') this.set('entrypoint', value === '' ? [] : [value], at);
    else if (name === 'e' || name === 'env') this.variable(value, at);
    else if (name === 'mount') this.mount(value, at);
    else if (name === 'health-cmd') this.set('healthcheck', { test: value }, at);
  }
}

/** `$NAME` and `$(…)` are known when the script runs: they are references, as `${NAME}` is. */
function referencesIn(text: string): string {
  return text
    .replace(/\$(\w+)/g, (_, name: string) => `\${${name}}`)
    .replace(/\$\([^)]*\)|`[^`]*`/g, () => '${COMMAND}');
}

/** The options of `run` up to the image, then the image and its command. Env files count from the script's folder. */
async function serviceOfRun(
  words: readonly Word[],
  file: string,
): Promise<{ name: string; service: TreeMap } | undefined> {
  const service = new Service();
  let name: string | undefined;
  let index = 0;
  for (; index < words.length && words[index]!.text.startsWith('-'); index++) {
    const { text, at } = words[index]!;
    if (flags.test(text)) {
      service.option(text.replace(/^--/, ''), 'true', at);
      continue;
    }
    const [, long, given] = /^--([\w-]+)(?:=([\s\S]*))?$/.exec(text) ?? [];
    const [, short, glued] = /^-\w*([a-zA-Z])(.*)$/s.exec(text) ?? [];
    const joined = long === undefined && /^-[evpum]./.test(text) ? text.slice(2).replace(/^=/, '') : given;
    const option = long ?? (joined !== undefined && glued !== undefined ? text[1]! : (short ?? ''));
    const value = joined ?? words[++index]?.text ?? '';
    if (option === 'name') name = value;
    if (option === 'env-file') {
      const read = await readTextFile(resolve(dirname(file), value)).catch(() => undefined);
      for (const line of read === undefined ? [] : parseEnvFile(read, resolve(dirname(file), value)))
        service.variable(`${line.name}=${line.value ?? ''}`, line.at);
    }
    service.option(option, referencesIn(value), at);
  }
  const image = words[index];
  if (image === undefined) return undefined;
  service.set('image', referencesIn(image.text), image.at);
  for (const { text, at } of words.slice(index + 1)) service.add('command', referencesIn(text), at);
  return { name: name ?? basename(image.text).replace(/[:@].*$/, ''), service: service.map };
}

/** Words of a command over several rows, each with its row. */
function placed(words: readonly string[], rows: readonly string[], first: number, file: string): Word[] {
  let row = 0;
  return words.map((text) => {
    const known = text.split(/[\s"']/, 1)[0]!;
    const found = rows.findIndex((one, index) => index >= row && one.includes(known));
    if (found !== -1) row = found;
    return { text, at: { file, line: first + row } };
  });
}

/** Commands of a script, rows that a backslash joins taken together. */
function* commandsOf(text: string, file: string): Generator<Word[]> {
  const rows = text.split('\n');
  for (let index = 0; index < rows.length; index++) {
    const first = index;
    while (/\\\s*$/.test(rows[index]!) && index + 1 < rows.length) index++;
    const block = rows.slice(first, index + 1);
    const joined = block.map((row) => row.replace(/\\\s*$/, ' ')).join(' ');
    // Recipes of a Makefile may begin with `@` or `-`, and write `$$` for a dollar sign.
    const line = joined.replace(/^\t[@-]+/, '').replace(/\$\$/g, '$');
    for (const words of splitShell(line)) yield placed(words, block, first + 1, file);
  }
}

/** Scripts of a package.json, each where it is written. */
function* commandsOfPackage(text: string, file: string): Generator<Word[]> {
  for (const [index, row] of text.split('\n').entries()) {
    const [, quoted] = /^\s*"[\w:.-]+"\s*:\s*("(?:[^"\\]|\\.)*")\s*,?\s*\}?\s*$/.exec(row) ?? [];
    if (quoted === undefined || !/\b(docker|podman|nerdctl)\b|-cli\b/.test(quoted)) continue;
    for (const words of splitShell(JSON.parse(quoted) as string))
      yield words.map((word) => ({ text: word, at: { file, line: index + 1 } }));
  }
}

/** Where `docker run` has its options; -1 where the command starts no container. */
function runOptions(words: readonly Word[]): number {
  const engine = words.findIndex(({ text }) => /^(?:.*\/)?(docker|podman|nerdctl)$/.test(text));
  if (engine === -1 || words.slice(0, engine).some(({ text }) => /^(echo|printf|which|command)$/.test(text))) return -1;
  const verb = words.findIndex(({ text }, index) => index > engine && /^(run|create)$/.test(text));
  const between = words.slice(engine + 1, verb);
  return verb !== -1 && between.every(({ text }) => text === 'container' || text.startsWith('-')) ? verb + 1 : -1;
}

const written = (about: string, at: Location, detail: string): FileFinding => ({
  issue: 'secret-in-clear',
  about,
  at,
  detail,
  remedy: 'Read it from a file or a secret manager (REDISCLI_AUTH for redis-cli), and rotate it: it is in the history',
});

/** Containers that a script, a Makefile or the scripts of a package.json start, and passwords in its commands. */
async function readScript(file: string, text: string): Promise<Reading> {
  const reading = emptyReading();
  const services: TreeMap = {};
  const commands = basename(file) === 'package.json' ? commandsOfPackage(text, file) : commandsOf(text, file);
  for (const words of commands) {
    const start = runOptions(words);
    const run = start === -1 ? undefined : await serviceOfRun(words.slice(start), file);
    if (run !== undefined) {
      // A container that is started twice is two.
      const name = services[run.name] === undefined ? run.name : `${run.name} (line ${words[0]!.at.line})`;
      services[name] = run.service;
      setPlace(services, name, words[0]!.at);
    } else
      for (const secret of commandSecrets(words)) reading.findings.push(written(secret.name, secret.at, secret.name));
  }
  addReading(reading, await readServices(services, file));
  return reading;
}

/** Keys of a Quadlet file's [Container] section as options of `podman run`. */
const quadletKeys: Readonly<Record<string, string>> = {
  PublishPort: 'publish',
  Volume: 'volume',
  Mount: 'mount',
  Network: 'network',
  User: 'user',
  AddCapability: 'cap-add',
  DropCapability: 'cap-drop',
  ReadOnly: 'read-only',
  HealthCmd: 'health-cmd',
  PidsLimit: 'pids-limit',
  Memory: 'memory',
  Entrypoint: 'entrypoint',
};

/** A Quadlet file: what systemd makes `podman run` of. */
async function readQuadlet(file: string, text: string): Promise<Reading> {
  const { settings, places, at } = parseUnit(text, file, '[Container]');
  const options: Word[] = [];
  const rowsOf = (key: string): { value: string; at: Location }[] =>
    (settings[key] ?? '')
      .split('\n')
      .filter((value) => value !== '')
      .map((value) => ({ value, at: lineOf(text, key, value, file) ?? places[key] ?? at }));
  for (const [key, option] of Object.entries(quadletKeys))
    for (const row of rowsOf(key))
      for (const value of /Capability$/.test(key) ? row.value.split(/\s+/) : [row.value])
        options.push({ text: `--${option}=${value}`, at: row.at });
  for (const row of rowsOf('Environment'))
    for (const word of splitWords(row.value)) options.push({ text: `--env=${word}`, at: row.at });
  for (const row of rowsOf('EnvironmentFile')) options.push({ text: `--env-file=${row.value}`, at: row.at });
  for (const row of rowsOf('NoNewPrivileges'))
    if (row.value === 'true') options.push({ text: '--security-opt=no-new-privileges', at: row.at });
  for (const row of rowsOf('SeccompProfile')) options.push({ text: `--security-opt=seccomp=${row.value}`, at: row.at });
  for (const row of rowsOf('SecurityLabelDisable'))
    if (row.value === 'true') options.push({ text: '--security-opt=label=disable', at: row.at });
  for (const row of rowsOf('PodmanArgs'))
    for (const word of splitWords(row.value)) options.push({ text: word, at: row.at });
  const [image] = rowsOf('Image');
  if (image === undefined) return emptyReading();
  const command = rowsOf('Exec').flatMap((row) => splitWords(row.value).map((word) => ({ text: word, at: row.at })));
  const run = await serviceOfRun([...options, { text: image.value, at: image.at }, ...command], file);
  const services: TreeMap = {};
  const name = basename(file).replace(/\.container$/, '');
  services[name] = run?.service ?? {};
  setPlace(services, name, at);
  return readServices(services, file);
}

/** The row of one value of a list; several rows that were joined have the row of the last one. */
function lineOf(text: string, key: string, value: string, file: string): Location | undefined {
  const index = text.split('\n').findIndex((row) => row.startsWith(key) && row.includes(value));
  return index === -1 ? undefined : { file, line: index + 1 };
}

/** Containers that are started without Compose or Kubernetes: by a script's `docker run`, or by Quadlet. */
export async function readContainerRuns(file: string): Promise<Reading> {
  const text = await readTextFile(file);
  return file.endsWith('.container') ? readQuadlet(file, text) : readScript(file, text);
}
