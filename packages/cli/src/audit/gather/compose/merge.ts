import { isTreeMap, placeOf, setPlace, Tagged, type Tree, type TreeMap, treeList, treeText } from '../yaml-tree.js';
import { parsePorts, portText } from './ports.js';

/** Attributes of a service that a later file replaces as a whole. */
const replaced = new Set(['command', 'entrypoint', 'healthcheck.test']);
/** Attributes written as a list of `NAME=value` or as a map; merged by name. */
const byName = new Set([
  'environment',
  'labels',
  'annotations',
  'sysctls',
  'build.args',
  'build.labels',
  'deploy.labels',
]);
/** Attributes written as a list of names or as a map. */
const named = new Set(['networks', 'depends_on']);
/** Lists in which each item is unique. */
const unique = new Set(
  'cap_add cap_drop devices dns dns_opt dns_search env_file expose group_add profiles security_opt tmpfs'.split(' '),
);

/** `NAME=value` lists and maps as one map; a name alone has no value here. */
export function nameMap(tree: Tree | undefined): TreeMap {
  if (tree instanceof Tagged) return nameMap(tree.value);
  if (isTreeMap(tree)) return tree;
  const map: TreeMap = {};
  if (!Array.isArray(tree)) return map;
  for (const [index, item] of tree.entries()) {
    const text = treeText(item);
    if (text === undefined) continue;
    const at = text.indexOf('=');
    const name = at === -1 ? text : text.slice(0, at);
    map[name] = at === -1 ? null : text.slice(at + 1);
    setPlace(map, name, placeOf(tree, index));
  }
  return map;
}

function namesOnly(tree: Tree): TreeMap {
  return isTreeMap(tree) ? tree : nameMap(tree);
}

/** Where a volume, config or secret is mounted: what makes two of them the same one. */
function targetOf(item: Tree): string {
  if (isTreeMap(item)) return treeText(item['target']) ?? treeText(item['source']) ?? JSON.stringify(item);
  const text = treeText(item) ?? '';
  return volumeParts(text).target ?? text;
}

/** `SOURCE:TARGET:MODE` of a volume's short form; a Windows drive letter belongs to its source. */
export function volumeParts(text: string): { source?: string; target?: string; mode?: string } {
  const [first = '', ...rest] = text.split(/:(?![^$]*\})/);
  const parts =
    /^[A-Za-z]$/.test(first) && /^[\\/]/.test(rest[0] ?? '')
      ? [`${first}:${rest[0]}`, ...rest.slice(1)]
      : [first, ...rest];
  if (parts.length === 1) return { target: parts[0]! };
  const [source, target, mode] = parts;
  return { source: source!, target: target!, ...(mode !== undefined && { mode }) };
}

/** Joins lists; of items with the same identity the later one replaces the earlier one, in its place. */
function joined(base: readonly Tree[], own: readonly Tree[], identity: (item: Tree) => string): Tree[] {
  const list: Tree[] = [];
  const indexes = new Map<string, number>();
  for (const from of [base, own])
    for (const [index, item] of from.entries()) {
      const id = identity(item);
      const at = indexes.get(id) ?? list.length;
      indexes.set(id, at);
      list[at] = item;
      setPlace(list, at, placeOf(from, index));
    }
  return list;
}

/** Each port by itself, so that `80-81:80-81` and `80:80` meet. */
function mergedPorts(base: Tree, own: Tree): Tree {
  return joined(
    treeList(base),
    treeList(own),
    (item) => parsePorts(item).map(portText).join(' ') || JSON.stringify(item),
  );
}

function identityOf(path: string): (item: Tree) => string {
  if (path === 'volumes' || path === 'configs' || path === 'secrets') return targetOf;
  if (unique.has(path)) return (item) => JSON.stringify(isTreeMap(item) ? item['path'] : item);
  let counter = 0;
  return () => String(counter++);
}

function mergedValue(base: Tree, own: Tree, path: string): Tree {
  if (own instanceof Tagged) return own.tag === '!override' ? own.value : null;
  if (base instanceof Tagged) return mergedValue(untagged(base), own, path);
  if (own === null) return base;
  if (base === null || replaced.has(path)) return own;
  if (byName.has(path)) return mergedMap(nameMap(base), nameMap(own), `${path}.*`);
  if (named.has(path)) return mergedMap(namesOnly(base), namesOnly(own), `${path}.*`);
  if (path === 'build') return mergedMap(buildMap(base), buildMap(own), path);
  if (path === 'ports') return mergedPorts(base, own);
  if (unique.has(path) || (Array.isArray(base) && Array.isArray(own)))
    return joined(treeList(base), treeList(own), identityOf(path));
  return isTreeMap(base) && isTreeMap(own) ? mergedMap(base, own, path) : own;
}

function buildMap(build: Tree): TreeMap {
  return isTreeMap(build) ? build : { context: build };
}

function mergedMap(base: TreeMap, own: TreeMap, path: string): TreeMap {
  const merged: TreeMap = {};
  for (const [key, value] of Object.entries(base)) {
    merged[key] = value;
    setPlace(merged, key, placeOf(base, key));
  }
  for (const [key, value] of Object.entries(own)) {
    if (value instanceof Tagged && value.tag === '!reset') {
      delete merged[key];
      continue;
    }
    const before = merged[key];
    const inner = path === '' ? key : `${path}.${key}`;
    merged[key] = before === undefined ? untagged(value) : mergedValue(before, value, inner);
    if (value !== null || before === undefined) setPlace(merged, key, placeOf(own, key));
  }
  return merged;
}

/** The value without Compose's tags: what is reset is gone. */
export function untagged(tree: Tree): Tree {
  if (tree instanceof Tagged) return tree.tag === '!reset' ? null : untagged(tree.value);
  return tree;
}

/** A service with another on top of it, as Compose merges override files and `extends`. */
export function mergeServices(base: TreeMap, own: TreeMap): TreeMap {
  return mergedMap(base, own, '');
}

/** Two Compose files: their services are merged one by one, everything else by name. */
export function mergeFiles(base: TreeMap, own: TreeMap): TreeMap {
  const merged: TreeMap = { ...base };
  for (const key of Object.keys(base)) setPlace(merged, key, placeOf(base, key));
  for (const [key, value] of Object.entries(own)) {
    const before = merged[key];
    if (key === 'services' && isTreeMap(before) && isTreeMap(value)) {
      const services: TreeMap = { ...before };
      for (const name of Object.keys(before)) setPlace(services, name, placeOf(before, name));
      for (const [name, service] of Object.entries(value)) {
        if (service instanceof Tagged && service.tag === '!reset') {
          delete services[name];
          continue;
        }
        const earlier = services[name];
        services[name] = isTreeMap(earlier) && isTreeMap(service) ? mergeServices(earlier, service) : untagged(service);
        if (earlier === undefined) setPlace(services, name, placeOf(value, name));
      }
      merged[key] = services;
    } else if (before !== undefined && isTreeMap(before) && isTreeMap(value))
      merged[key] = mergedMap(before, value, `top.${key}`);
    else merged[key] = untagged(value);
  }
  return merged;
}
