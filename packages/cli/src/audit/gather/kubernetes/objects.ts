import type { Location } from '../../facts/project-facts.js';
import {
  isTreeMap,
  placeOf,
  type Tree,
  type TreeDocument,
  type TreeMap,
  treeList,
  treeMap,
  treeText,
} from '../yaml-tree.js';

/** One object of a manifest. */
export interface KubeObject {
  readonly kind: string;
  readonly group: string;
  readonly name: string;
  /** Undefined where the manifest leaves it to who applies it. */
  readonly namespace?: string;
  readonly at: Location;
  readonly tree: TreeMap;
  readonly spec: TreeMap;
}

export function isKubernetes(tree: Tree): boolean {
  return (
    isTreeMap(tree) &&
    typeof tree['kind'] === 'string' &&
    (tree['apiVersion'] !== undefined || tree['spec'] !== undefined || tree['items'] !== undefined)
  );
}

/** The objects of a document; those of a List one by one. */
export function objectsOf({ tree, at }: TreeDocument): KubeObject[] {
  const map = treeMap(tree);
  const kind = treeText(map['kind']) ?? '';
  const items = map['items'];
  if (/List$/.test(kind) && Array.isArray(items))
    return items.flatMap((item, index) => objectsOf({ tree: item, at: placeOf(items, index) ?? at }));
  if (kind === '') return [];
  const metadata = treeMap(map['metadata']);
  const namespace = treeText(metadata['namespace']);
  const [group = ''] = (treeText(map['apiVersion']) ?? '').split('/');
  return [
    {
      kind,
      group: (treeText(map['apiVersion']) ?? '').includes('/') ? group : '',
      name: treeText(metadata['name']) ?? treeText(metadata['generateName']) ?? kind,
      ...(namespace !== undefined && { namespace }),
      at: placeOf(map, 'kind') ?? at,
      tree: map,
      spec: treeMap(map['spec']),
    },
  ];
}

/** Both are in the same namespace, as far as the manifests say. */
export function sameNamespace(one: KubeObject, other: KubeObject): boolean {
  return (
    (one.namespace ?? 'default') === (other.namespace ?? 'default') ||
    one.namespace === undefined ||
    other.namespace === undefined
  );
}

export function labelsOf(metadata: Tree | undefined): ReadonlyMap<string, string> {
  const labels = treeMap(treeMap(metadata)['labels']);
  return new Map(Object.entries(labels).map(([name, value]) => [name, treeText(value) ?? '']));
}

/** Whether a selector's `matchLabels` (or plain labels) and `matchExpressions` fit. An empty one fits everything. */
export function selects(selector: Tree | undefined, labels: ReadonlyMap<string, string>): boolean {
  const map = treeMap(selector);
  const isPlain = map['matchLabels'] === undefined && map['matchExpressions'] === undefined;
  const wanted = isPlain ? map : treeMap(map['matchLabels']);
  if (!Object.entries(wanted).every(([name, value]) => labels.get(name) === treeText(value))) return false;
  return treeList(isPlain ? undefined : map['matchExpressions']).every((item) => {
    const { key, operator, values } = treeMap(item);
    const value = labels.get(treeText(key) ?? '');
    const listed = treeList(values).some((one) => treeText(one) === value);
    if (operator === 'In') return value !== undefined && listed;
    if (operator === 'NotIn') return value === undefined || !listed;
    return operator === 'Exists' ? value !== undefined : operator === 'DoesNotExist' ? value === undefined : true;
  });
}

/** The pod that a workload runs, wherever its kind has the template. */
export function podOf(object: KubeObject): { spec: TreeMap; labels: ReadonlyMap<string, string> } | undefined {
  const { kind, spec, tree } = object;
  if (kind === 'Pod') return { spec, labels: labelsOf(tree['metadata']) };
  const template =
    kind === 'CronJob'
      ? treeMap(treeMap(spec['jobTemplate'])['spec'])['template']
      : (spec['template'] ?? tree['template']);
  const map = treeMap(template);
  const pod = treeMap(map['spec']);
  return pod['containers'] === undefined && pod['initContainers'] === undefined
    ? undefined
    : { spec: pod, labels: labelsOf(map['metadata']) };
}
