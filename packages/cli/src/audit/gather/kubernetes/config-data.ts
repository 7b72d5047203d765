import type { MountedFile } from '../described-container.js';
import { placeOf, type Tree, type TreeMap, treeMap, treeText } from '../yaml-tree.js';
import { type KubeObject, sameNamespace } from './objects.js';

/** Values of a ConfigMap or Secret, by key; those of a Secret's `data` decoded. */
export function dataOf(object: KubeObject): Map<string, MountedFile> {
  const entries = new Map<string, MountedFile>();
  const isSecret = object.kind === 'Secret';
  for (const section of isSecret ? ['data', 'stringData'] : ['data', 'binaryData']) {
    const map = treeMap(object.tree[section]);
    for (const [key, value] of Object.entries(map)) {
      const text = treeText(value);
      if (text === undefined) continue;
      const encoded = (isSecret && section === 'data') || section === 'binaryData';
      const at = placeOf(map, key) ?? object.at;
      const decoded = encoded ? decode(text) : text;
      // A block's text begins on the line behind its key.
      const isBlock = !encoded && text.includes('\n');
      entries.set(key, { text: decoded, at: isBlock ? { file: at.file, line: at.line + 1 } : at });
    }
  }
  return entries;
}

/** What is not base64 stays as it is: a placeholder, a template. */
function decode(text: string): string {
  const bare = text.replace(/\s/g, '');
  return /^[A-Za-z0-9+/]+={0,2}$/.test(bare) && bare.length % 4 === 0
    ? Buffer.from(bare, 'base64').toString('utf8')
    : text;
}

/** The ConfigMap or Secret that a name means, seen from another object. */
export function findData(
  objects: readonly KubeObject[],
  from: KubeObject,
  kind: 'ConfigMap' | 'Secret',
  name: Tree | undefined,
): KubeObject | undefined {
  const wanted = treeText(name);
  return objects.find((one) => one.kind === kind && one.name === wanted && sameNamespace(one, from));
}

/** Files that a pod's volume holds, by their path within the volume. */
export function volumeFiles(
  volume: TreeMap,
  owner: KubeObject,
  objects: readonly KubeObject[],
): Map<string, MountedFile> {
  const files = new Map<string, MountedFile>();
  const projected = treeMap(volume['projected'])['sources'];
  const sources = Array.isArray(projected) ? projected : [volume];
  for (const source of sources) {
    const { configMap, secret } = treeMap(source);
    for (const [kind, given] of [
      ['ConfigMap', configMap],
      ['Secret', secret],
    ] as const) {
      if (given === undefined) continue;
      const map = treeMap(given);
      const found = findData(objects, owner, kind, map['name'] ?? map['secretName']);
      if (!found) continue;
      const data = dataOf(found);
      const items = map['items'];
      if (!Array.isArray(items)) for (const [key, file] of data) files.set(key, file);
      else
        for (const item of items) {
          const { key, path } = treeMap(item);
          const file = data.get(treeText(key) ?? '');
          if (file) files.set(treeText(path) ?? '', file);
        }
    }
  }
  return files;
}
