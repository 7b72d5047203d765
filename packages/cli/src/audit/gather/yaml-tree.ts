import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml';
import type { Location } from '../facts/project-facts.js';

/** What a YAML document says, as plain data. Anchors, aliases and `<<` are resolved. */
export type Tree = null | boolean | number | string | Tree[] | TreeMap | Tagged;
export interface TreeMap {
  [key: string]: Tree;
}

/** A value under one of Compose's tags, which say how it is merged. */
export class Tagged {
  readonly tag: '!reset' | '!override';
  readonly value: Tree;

  constructor(tag: Tagged['tag'], value: Tree) {
    this.tag = tag;
    this.value = value;
  }
}

/** More nodes than this are aliases of aliases, made to fill the memory of the reader. */
const mostNodes = 200_000;

const places = new WeakMap<object, Map<string | number, Location>>();

/** Where the value of `key` was written; undefined where it was not read from a file. */
export function placeOf(container: object, key: string | number): Location | undefined {
  return places.get(container)?.get(key);
}

export function setPlace(container: object, key: string | number, at: Location | undefined): void {
  if (at === undefined) return;
  const known = places.get(container) ?? new Map<string | number, Location>();
  known.set(key, at);
  places.set(container, known);
}

export function isTreeMap(value: Tree | undefined): value is TreeMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Tagged);
}

/** The value where it is a map, else an empty map. */
export function treeMap(value: Tree | undefined): TreeMap {
  return isTreeMap(value) ? value : {};
}

/** The items of a list; a single value is a list of one, none is empty. */
export function treeList(value: Tree | undefined): readonly Tree[] {
  if (Array.isArray(value)) return value;
  return value === undefined || value === null ? [] : [value];
}

/** The value as text; maps and lists have none. */
export function treeText(value: Tree | undefined): string | undefined {
  return value === undefined || value === null || typeof value === 'object' ? undefined : String(value);
}

export function treeTexts(value: Tree | undefined): string[] {
  return treeList(value).flatMap((item) => treeText(item) ?? []);
}

/** YAML 1.1 and 1.2 spellings of true. */
export function isTrue(value: Tree | undefined): boolean {
  return value === true || (typeof value === 'string' && /^(true|yes|on|y|1)$/i.test(value.trim()));
}

/** The same data with every text replaced; places are kept. */
export function mapTexts(tree: Tree, change: (text: string) => string): Tree {
  if (typeof tree === 'string') return change(tree);
  if (tree instanceof Tagged) return new Tagged(tree.tag, mapTexts(tree.value, change));
  if (Array.isArray(tree)) {
    const list = tree.map((item) => mapTexts(item, change));
    for (const index of tree.keys()) setPlace(list, index, placeOf(tree, index));
    return list;
  }
  if (!isTreeMap(tree)) return tree;
  const map: TreeMap = {};
  for (const [key, value] of Object.entries(tree)) {
    map[key] = mapTexts(value, change);
    setPlace(map, key, placeOf(tree, key));
  }
  return map;
}

class Reader {
  #nodes = 0;

  readonly #file: string;
  readonly #lines: LineCounter;
  readonly #document: Document;

  constructor(file: string, lines: LineCounter, document: Document) {
    this.#file = file;
    this.#lines = lines;
    this.#document = document;
  }

  locationOf(node: unknown): Location {
    const range = (node as Node | null)?.range;
    return { file: this.#file, line: range ? this.#lines.linePos(range[0]).line : 1 };
  }

  read(node: unknown, open: readonly unknown[] = []): Tree {
    if (++this.#nodes > mostNodes) throw new Error('its aliases make it too large');
    if (isAlias(node)) {
      const target = node.resolve(this.#document);
      if (target === undefined) throw new Error(`line ${this.locationOf(node).line}: *${node.source} has no anchor`);
      if (open.includes(target)) throw new Error(`line ${this.locationOf(node).line}: *${node.source} contains itself`);
      return this.read(target, [...open, target]);
    }
    const tag = (node as Node | null)?.tag;
    const value = this.#readPlain(node, open);
    return tag === '!reset' || tag === '!override' ? new Tagged(tag, value) : value;
  }

  #readPlain(node: unknown, open: readonly unknown[]): Tree {
    if (isScalar(node)) {
      const { value } = node;
      if (value instanceof Date) return String(node.source);
      // Large numbers would lose digits: `3000000000000000000` is what was written.
      return typeof value === 'bigint' || (typeof value === 'number' && !Number.isSafeInteger(value) && node.source)
        ? String(node.source)
        : (value as Tree);
    }
    if (isSeq(node)) {
      const list: Tree[] = [];
      for (const item of node.items) {
        setPlace(list, list.length, this.locationOf(item));
        list.push(this.read(item, open));
      }
      return list;
    }
    return isMap(node) ? this.#readMap(node, open) : null;
  }

  #readMap(node: YAMLMap, open: readonly unknown[]): TreeMap {
    const own: TreeMap = {};
    const merged: TreeMap[] = [];
    for (const pair of node.items as Pair<unknown, unknown>[]) {
      const key = isAlias(pair.key) ? this.read(pair.key, open) : isScalar(pair.key) ? pair.key.value : undefined;
      const value = this.read(pair.value, open);
      if (key === '<<') {
        merged.push(...treeList(value).filter(isTreeMap));
        continue;
      }
      const name = String(key);
      own[name] = value;
      setPlace(own, name, this.locationOf(pair.key));
    }
    // Earlier maps of a `<<` list win over later ones, and the map's own keys over all of them.
    for (const base of merged)
      for (const [key, value] of Object.entries(base))
        if (!Object.hasOwn(own, key)) {
          own[key] = value;
          setPlace(own, key, placeOf(base, key));
        }
    return own;
  }
}

export interface TreeDocument {
  readonly tree: Tree;
  /** Where the document begins. */
  readonly at: Location;
}

/** Every document of a YAML (or JSON) text. Rejects with the line of the first mistake. */
export function parseYamlTrees(text: string, file: string): TreeDocument[] {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(text, { lineCounter: lines, logLevel: 'silent', uniqueKeys: false });
  const documents = 'empty' in parsed ? [] : parsed;
  for (const { errors } of documents) {
    const [error] = errors;
    if (error)
      throw new Error(
        `line ${error.linePos?.[0].line ?? 1}: ${error.message.split('\n')[0]!.replace(/ at line \d+, column \d+:?$/, '')}`,
      );
  }
  return documents.map((document) => {
    const reader = new Reader(file, lines, document as Document);
    return { tree: reader.read(document.contents), at: reader.locationOf(document.contents) };
  });
}
