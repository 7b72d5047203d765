import { access } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { readTextFile } from '../text-file.js';
import {
  isTreeMap,
  mapTexts,
  parseYamlTrees,
  placeOf,
  setPlace,
  Tagged,
  type Tree,
  type TreeMap,
  treeList,
  treeMap,
  treeText,
} from '../yaml-tree.js';
import { parseEnvFile } from './env-file.js';
import { interpolate, type Variables } from './interpolation.js';
import { mergeFiles, mergeServices, nameMap, untagged } from './merge.js';

/** A Compose project as `docker compose config` would show it, with the place of each value. */
export interface ComposeProject {
  readonly services: TreeMap;
  readonly configs: TreeMap;
  readonly secrets: TreeMap;
  /** Every file that was read, in the order of reading. */
  readonly files: readonly string[];
  /** Parts that could not be read or are not what Compose takes; the rest was. */
  readonly problems: readonly { readonly file: string; readonly reason: string }[];
}

/** Relative paths of a service are relative to its file (`extends`, `include`), so they are made absolute early. */
function withAbsolutePaths(service: TreeMap, folder: string): TreeMap {
  const result: TreeMap = { ...service };
  for (const key of Object.keys(service)) setPlace(result, key, placeOf(service, key));
  const absolute = (text: string): string => (/^\.{0,2}\/|^\.{1,2}$/.test(text) ? resolve(folder, text) : text);
  const asFile = (text: string): string => resolve(folder, text);
  const each = (key: string, change: (item: Tree) => Tree): void => {
    const given = service[key];
    const value = given instanceof Tagged ? given.value : given;
    if (value === undefined || value === null) return;
    const from = Array.isArray(value) ? value : [value];
    const list = from.map(change);
    for (const index of from.keys()) setPlace(list, index, placeOf(from, index) ?? placeOf(service, key));
    result[key] = given instanceof Tagged ? new Tagged(given.tag, list) : list;
  };
  each('volumes', (item) => {
    if (isTreeMap(item)) {
      const source = treeText(item['source']);
      return item['type'] === 'bind' && source !== undefined ? { ...item, source: asFile(source) } : item;
    }
    const text = treeText(item) ?? '';
    const source = text.split(':')[0]!;
    return text.includes(':') ? absolute(source) + text.slice(source.length) : item;
  });
  each('env_file', (item) =>
    isTreeMap(item) ? { ...item, path: asFile(treeText(item['path']) ?? '') } : asFile(treeText(item) ?? ''),
  );
  const build = service['build'];
  if (typeof build === 'string') result['build'] = { context: asFile(build) };
  else if (isTreeMap(build)) result['build'] = { ...build, context: asFile(treeText(build['context']) ?? '.') };
  return result;
}

function withAbsoluteFiles(section: TreeMap, folder: string): TreeMap {
  const result: TreeMap = {};
  for (const [name, value] of Object.entries(section)) {
    const file = treeText(treeMap(value)['file']);
    result[name] = file === undefined ? value : { ...treeMap(value), file: resolve(folder, file) };
    setPlace(result, name, placeOf(section, name));
  }
  return result;
}

/** Files of the first Compose format have no `services`: each entry is one. */
export function withServices(map: TreeMap): TreeMap {
  const entries = Object.values(map);
  const isOld =
    entries.length > 0 &&
    entries.every((entry) => isTreeMap(entry) && (entry['image'] ?? entry['build']) !== undefined);
  if (!isOld) return map;
  const whole: TreeMap = { services: map };
  return whole;
}

class Loader {
  readonly files: string[] = [];
  readonly problems: { file: string; reason: string }[] = [];
  readonly #texts = new Map<string, Promise<Tree[]>>();

  problem(file: string, error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    if (!this.problems.some((one) => one.file === file && one.reason === reason)) this.problems.push({ file, reason });
  }

  async #documents(file: string): Promise<Tree[]> {
    let known = this.#texts.get(file);
    if (known === undefined) {
      this.files.push(file);
      known = readTextFile(file).then((text) => parseYamlTrees(text, file).map(({ tree }) => tree));
      this.#texts.set(file, known);
    }
    return known;
  }

  async variables(files: readonly string[], outer: Variables = () => undefined): Promise<Variables> {
    const values = new Map<string, string>();
    for (const file of files) {
      const text = await readTextFile(file).catch(() => '');
      for (const { name, value } of parseEnvFile(text, file, outer)) if (value !== undefined) values.set(name, value);
    }
    return (name) => values.get(name) ?? outer(name);
  }

  /** One file by itself: its documents merged, its `extends` and `include` followed. */
  async load(file: string, folder: string, variables: Variables, open: readonly string[] = []): Promise<TreeMap> {
    if (open.includes(file)) throw new Error('it includes itself');
    let whole: TreeMap = {};
    for (const document of await this.#documents(file)) {
      const map = mapTexts(document, (text) => interpolate(text, variables));
      if (!isTreeMap(map)) {
        if (map !== null) throw new Error('it is not a map of services');
        continue;
      }
      const own = await this.#withExtends(withServices(map), file, folder, variables);
      whole = mergeFiles(whole, own);
    }
    let included: TreeMap = {};
    for (const entry of treeList(whole['include'])) {
      const other = await this.#include(entry, folder, variables, [...open, file]).catch((error: unknown) => {
        this.problem(file, error);
        return {};
      });
      included = mergeFiles(included, other);
    }
    return mergeFiles(included, whole);
  }

  async #include(entry: Tree, folder: string, variables: Variables, open: readonly string[]): Promise<TreeMap> {
    const map = treeMap(entry);
    const paths = treeList(isTreeMap(entry) ? map['path'] : entry).flatMap((path) => treeText(path) ?? []);
    const [first] = paths;
    if (first === undefined) return {};
    const given = treeText(map['project_directory']);
    const inner = given === undefined ? dirname(resolve(folder, first)) : resolve(folder, given);
    const envFiles = treeList(map['env_file']).flatMap((path) => treeText(path) ?? []);
    const own = await this.variables(
      envFiles.length > 0 ? envFiles.map((path) => resolve(folder, path)) : [join(inner, '.env')],
    );
    // The including project's variables win over those of an included one.
    const together: Variables = (name) => variables(name) ?? own(name);
    let whole: TreeMap = {};
    for (const path of paths) {
      const file = resolve(folder, path);
      const loaded = await this.load(file, inner, together, open).catch((error: unknown) => {
        this.problem(file, error);
        return {};
      });
      whole = mergeFiles(whole, loaded);
    }
    return whole;
  }

  async #withExtends(map: TreeMap, file: string, folder: string, variables: Variables): Promise<TreeMap> {
    const result: TreeMap = { ...map };
    for (const key of Object.keys(map)) setPlace(result, key, placeOf(map, key));
    const services = treeMap(map['services']);
    const done: TreeMap = {};
    for (const [name, value] of Object.entries(services)) {
      setPlace(done, name, placeOf(services, name));
      try {
        done[name] =
          value instanceof Tagged || !isTreeMap(value)
            ? value
            : await this.#service(services, name, file, folder, variables, []);
      } catch (error) {
        this.problem(file, error);
        done[name] = isTreeMap(value) ? withAbsolutePaths(value, folder) : value;
      }
    }
    if (map['services'] !== undefined) result['services'] = done;
    for (const key of ['configs', 'secrets'])
      if (isTreeMap(map[key])) result[key] = withAbsoluteFiles(treeMap(map[key]), folder);
    return result;
  }

  /** A service with what it extends, in its own file or in another. */
  async #service(
    services: TreeMap,
    name: string,
    file: string,
    folder: string,
    variables: Variables,
    open: readonly string[],
  ): Promise<TreeMap> {
    const id = `${file}#${name}`;
    if (open.includes(id)) {
      const names = open.slice(open.indexOf(id)).map((one) => one.slice(one.lastIndexOf('#') + 1));
      throw new Error(
        names.length === 1
          ? `service "${name}" extends itself`
          : `services extend each other: ${names.sort().join(', ')}`,
      );
    }
    const service = services[name];
    if (!isTreeMap(service)) throw new Error(`it has no service "${name}"`);
    const { extends: given, ...rest } = service;
    const own: TreeMap = rest;
    for (const key of Object.keys(own)) setPlace(own, key, placeOf(service, key));
    const located = withAbsolutePaths(own, folder);
    if (given === undefined || given === null) return located;
    const base = typeof given === 'string' ? given : treeText(treeMap(given)['service']);
    const other = treeText(treeMap(given)['file']);
    if (base === undefined) throw new Error(`service "${name}" extends nothing`);
    const chain = [...open, id];
    if (other === undefined)
      return mergeServices(await this.#service(services, base, file, folder, variables, chain), located);
    const path = resolve(folder, other);
    const documents = await this.#documents(path).catch((error: unknown) => {
      throw new Error(
        `service "${name}" extends ${other}, and ${error instanceof Error ? error.message : String(error)}`,
      );
    });
    let there: TreeMap = {};
    for (const document of documents)
      there = mergeFiles(there, treeMap(mapTexts(document, (text) => interpolate(text, variables))));
    const found = await this.#service(treeMap(there['services']), base, path, dirname(path), variables, chain);
    return mergeServices(found, located);
  }
}

const exists = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );

/** Variables of a service: its env files in their order, then its own; a name alone takes the project's value. */
async function withEnvironment(service: TreeMap, variables: Variables, loader: Loader): Promise<TreeMap> {
  const environment: TreeMap = {};
  for (const entry of treeList(service['env_file'])) {
    const map = treeMap(entry);
    const file = isTreeMap(entry) ? treeText(map['path']) : treeText(entry);
    if (file === undefined || (map['required'] === false && !(await exists(file)))) continue;
    try {
      for (const { name, value, at } of parseEnvFile(
        await readTextFile(file),
        file,
        variables,
        map['format'] === 'raw',
      )) {
        const known = value ?? variables(name);
        if (known === undefined) continue;
        environment[name] = known;
        setPlace(environment, name, at);
      }
    } catch (error) {
      loader.problem(file, error);
    }
  }
  const own = nameMap(service['environment']);
  for (const [name, value] of Object.entries(own)) {
    const text = value === null ? variables(name) : treeText(value);
    // A name alone that nothing sets: the caller's environment decides.
    environment[name] = text ?? (value === null ? `\${${name}}` : '');
    setPlace(environment, name, placeOf(own, name));
  }
  const result: TreeMap = { ...service, environment };
  for (const key of Object.keys(service)) setPlace(result, key, placeOf(service, key));
  return result;
}

/**
 * Reads a Compose project from its files, in the order in which `docker compose -f` takes them. Variables come from the
 * project's `.env`; the environment of the audit's caller does not count, so that a report says what the files say.
 * Services of every profile are read.
 */
export async function loadComposeProject(
  files: readonly string[],
  envFiles?: readonly string[],
): Promise<ComposeProject> {
  const loader = new Loader();
  const folder = dirname(resolve(files[0]!));
  const variables = await loader.variables(envFiles ?? [join(folder, '.env')]);
  let whole: TreeMap = {};
  let readable = 0;
  for (const given of files) {
    const file = resolve(given);
    try {
      whole = mergeFiles(whole, await loader.load(file, folder, variables));
      readable++;
    } catch (error) {
      loader.problem(file, error);
    }
  }
  if (readable === 0) throw new Error(loader.problems[0]?.reason ?? `${basename(files[0]!)} could not be read`);
  const merged = treeMap(whole['services']);
  const services: TreeMap = {};
  for (const [name, value] of Object.entries(merged)) {
    const service = untagged(value);
    if (!isTreeMap(service)) continue;
    services[name] = await withEnvironment(service, variables, loader);
    setPlace(services, name, placeOf(merged, name));
  }
  return {
    services,
    configs: treeMap(whole['configs']),
    secrets: treeMap(whole['secrets']),
    files: loader.files,
    problems: loader.problems,
  };
}
