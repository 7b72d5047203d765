import { basename, dirname, join, relative } from 'node:path';
import type { FileFinding } from '../facts/project-facts.js';
import { isAboutServers, isClearSecret } from './client-urls.js';
import { withServices } from './compose/compose-project.js';
import { readComposeProject } from './compose/service.js';
import { readHelmValues } from './helm-values.js';
import { readManifests } from './kubernetes/manifests.js';
import { isKubernetes, type KubeObject, objectsOf } from './kubernetes/objects.js';
import type { Reading } from './reading.js';
import { addReading, emptyReading } from './reading.js';
import { readTextFile, reasonOf } from './text-file.js';
import { isWorkflow, workflowFindings } from './workflow.js';
import {
  isTreeMap,
  parseYamlTrees,
  placeOf,
  type Tree,
  type TreeDocument,
  treeList,
  treeMap,
  treeText,
} from './yaml-tree.js';

interface YamlFile {
  readonly file: string;
  readonly documents: readonly TreeDocument[];
  readonly isTemplate: boolean;
  readonly text: string;
}

/** `{{ … }}` outside of comments: a template of Helm or of another engine, which is no YAML before it is rendered. */
function hasTemplates(text: string): boolean {
  return /^[^#\n]*\{\{.*\}\}/m.test(text);
}

const composeDefaults = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];
const composeOverride = /^(docker-)?compose\.override\.ya?ml$/;
const composeVariant = /^(docker-)?compose[.\-_].+\.ya?ml$/;

function isCompose(tree: Tree): boolean {
  if (!isTreeMap(tree) || tree['kind'] !== undefined) return false;
  const { services } = withServices(tree);
  return isTreeMap(services)
    ? Object.values(services).some((one) => isTreeMap(one) || one !== null) && tree['jobs'] === undefined
    : tree['include'] !== undefined;
}

/** Every service of the file could be started from the file alone. */
function standsAlone({ documents }: YamlFile): boolean {
  return documents.every(({ tree }) =>
    Object.values(treeMap(treeMap(tree)['services'])).every((service) => {
      const map = treeMap(service);
      return map['image'] !== undefined || map['build'] !== undefined || map['extends'] !== undefined;
    }),
  );
}

/**
 * Compose files as projects: those that were named together in one folder are merged in their order, as `docker compose
 * -f` does; of a folder, the default file with its override is one project, and a variant that cannot be started alone
 * is merged on top of it.
 */
export function composeProjects(files: readonly YamlFile[], named: boolean): YamlFile[][] {
  const folders = new Map<string, YamlFile[]>();
  for (const one of files) folders.set(dirname(one.file), [...(folders.get(dirname(one.file)) ?? []), one]);
  return [...folders.values()].flatMap((all) => {
    if (named) return [all];
    const base = composeDefaults.flatMap((name) => all.filter(({ file }) => basename(file) === name)).slice(0, 1);
    const override = all.filter(({ file }) => composeOverride.test(basename(file)));
    const others = all.filter((one) => !base.includes(one) && !override.includes(one));
    const [main] = base;
    const projects = main ? [[main, ...override]] : override.map((one) => [one]);
    for (const one of others)
      projects.push(main && composeVariant.test(basename(one.file)) && !standsAlone(one) ? [main, one] : [one]);
    return projects;
  });
}

/** Objects of several environments have the same names: then each folder is read by itself. */
function objectGroups(objects: readonly KubeObject[]): KubeObject[][] {
  const seen = new Map<string, string>();
  const isRepeated = objects.some((one) => {
    const id = `${one.group}/${one.kind}/${one.namespace ?? ''}/${one.name}`;
    const folder = dirname(one.at.file);
    const before = seen.get(id);
    seen.set(id, folder);
    return before !== undefined && before !== folder;
  });
  if (!isRepeated) return [[...objects]];
  const folders = new Map<string, KubeObject[]>();
  for (const one of objects) folders.set(dirname(one.at.file), [...(folders.get(dirname(one.at.file)) ?? []), one]);
  return [...folders.values()];
}

function isHelmTemplate(file: string, charts: readonly string[]): boolean {
  return charts.some((chart) => !relative(join(chart, 'templates'), file).startsWith('..'));
}

async function readYaml(file: string, reading: Reading, named: boolean): Promise<YamlFile | undefined> {
  let text: string;
  try {
    text = await readTextFile(file);
  } catch (error) {
    reading.unreadable.push({ file, reason: reasonOf(error) });
    return undefined;
  }
  const isTemplate = hasTemplates(text);
  try {
    return { file, documents: parseYamlTrees(text, file), isTemplate, text };
  } catch (error) {
    if (isTemplate) return { file, documents: [], isTemplate, text };
    const isOurs = named || /^(services|kind|apiVersion)\s*:|redis|valkey|dragonfly/m.test(text);
    if (isOurs) reading.unreadable.push({ file, reason: reasonOf(error) });
    return undefined;
  }
}

/** What the YAML files of a project say. `named`: each was given by itself, not found in a folder. */
export async function readYamlFiles(files: readonly string[], named: boolean): Promise<Reading> {
  const reading = emptyReading();
  const compose: YamlFile[] = [];
  const objects: KubeObject[] = [];
  const templates: string[] = [];
  const overlays: string[] = [];
  const charts = files.filter((file) => basename(file) === 'Chart.yaml').map((file) => dirname(file));
  for (const file of new Set(files)) {
    const yaml = await readYaml(file, reading, named);
    if (yaml === undefined) continue;
    const trees = yaml.documents.map(({ tree }) => tree).filter((tree) => tree !== null);
    if (
      isHelmTemplate(file, charts) ||
      (yaml.isTemplate && (yaml.documents.length === 0 || trees.some(isKubernetes)))
    ) {
      templates.push(file);
      continue;
    }
    const [first] = trees;
    if (first === undefined) {
      if (named) reading.unreadable.push({ file, reason: unknownYaml });
      continue;
    }
    if (/^kustomization\.ya?ml$/.test(basename(file)) || treeMap(first)['kind'] === 'Kustomization') {
      overlays.push(dirname(file));
      reading.findings.push(...generatorFindings(first));
      continue;
    }
    if (isWorkflow(first, file)) reading.findings.push(...workflowFindings(first, file, yaml.text));
    else if (trees.some(isKubernetes)) {
      for (const document of yaml.documents) {
        const found = objectsOf(document);
        objects.push(...found);
        for (const object of found) addReading(reading, helmReleaseReading(object));
      }
    } else if (trees.some(isCompose)) compose.push(yaml);
    else if (/values/i.test(basename(file)) || named) {
      const values = readHelmValues(file, first, await chartOf(file));
      addReading(reading, values);
      if (named && values.servers.length === 0) reading.unreadable.push({ file, reason: unknownYaml });
    }
  }
  for (const project of composeProjects(compose, named)) {
    const names = project.map(({ file }) => file);
    try {
      addReading(reading, await readComposeProject(names));
    } catch (error) {
      reading.unreadable.push({ file: names[0]!, reason: reasonOf(error) });
    }
  }
  for (const group of objectGroups(objects)) addReading(reading, await readManifests(group));
  reading.remarks.push(...notRendered(overlays, templates, charts));
  return reading;
}

const unknownYaml =
  'it holds nothing that the audit knows (Compose services, Kubernetes objects, values of a chart, a workflow)';

/** `a, b, c and 4 more`. */
function some(all: readonly string[]): string {
  return all.length <= 3 ? all.join(', ') : `${all.slice(0, 3).join(', ')} and ${all.length - 3} more`;
}

/** Secrets among the literals of a Kustomization's generators. */
function generatorFindings(tree: Tree): FileFinding[] {
  return ['secretGenerator', 'configMapGenerator'].flatMap((key) =>
    treeList(treeMap(tree)[key]).flatMap((generator) => {
      const { name, literals } = treeMap(generator);
      return treeList(literals).flatMap((item, index): FileFinding[] => {
        const [, variable = '', value = ''] = /^([^=]+)=([\s\S]*)$/.exec(treeText(item) ?? '') ?? [];
        const about = `${treeText(name) ?? ''}_${variable}`;
        if (!isAboutServers({ name: about, value }) || !isClearSecret({ name: variable, value })) return [];
        const at = Array.isArray(literals) ? placeOf(literals, index) : undefined;
        return at === undefined
          ? []
          : [
              {
                issue: 'secret-in-clear',
                about: variable,
                at,
                detail: `${variable} is written out in a Kustomization`,
                remedy: 'Make the Secret outside of the repository, and rotate it: it is in the history',
              },
            ];
      });
    }),
  );
}

/** What is not judged because it is not rendered, and how to have it judged. */
function notRendered(overlays: readonly string[], templates: readonly string[], charts: readonly string[]): string[] {
  const ofCharts = charts.filter((chart) => templates.some((file) => !relative(chart, file).startsWith('..')));
  const others = templates.filter((file) => charts.every((chart) => relative(chart, file).startsWith('..')));
  return [
    ...(overlays.length > 0
      ? [
          `Kustomizations are not rendered, so their patches, generators and images are not in this report: ${some(overlays)}. Audit what "kubectl kustomize ${overlays.at(-1)}" prints`,
        ]
      : []),
    ...(ofCharts.length > 0
      ? [`Templates of charts are not judged: ${some(ofCharts)}. Audit what "helm template ${ofCharts[0]}" prints`]
      : []),
    ...(others.length > 0 ? [`Templates are not judged: ${some(others)}. Audit what they render to`] : []),
  ];
}

/** Values that a GitOps controller gives to a chart: Flux's HelmRelease, Argo CD's Application. */
function helmReleaseReading(object: KubeObject): Partial<Reading> {
  const { kind, spec } = object;
  const source = treeMap(spec['source']);
  const chart =
    kind === 'HelmRelease'
      ? treeText(treeMap(treeMap(treeMap(spec['chart']))['spec'])['chart'])
      : kind === 'Application'
        ? treeText(source['chart'])
        : undefined;
  if (chart === undefined) return {};
  const helm = treeMap(source['helm']);
  const values = kind === 'HelmRelease' ? spec['values'] : (helm['valuesObject'] ?? helm['values']);
  if (values === undefined) return {};
  const tree = typeof values === 'string' ? (parseYamlTrees(values, object.at.file)[0]?.tree ?? null) : values;
  return readHelmValues(object.at.file, tree, { name: chart, dependencies: [] });
}

/** The chart that a values file belongs to, where its Chart.yaml is beside it or above. */
async function chartOf(
  file: string,
): Promise<{ name: string; dependencies: { name: string; alias: string }[] } | undefined> {
  const text = await readTextFile(join(dirname(file), 'Chart.yaml')).catch(() => undefined);
  if (text === undefined) return undefined;
  const chart = treeMap(parseYamlTrees(text, file)[0]?.tree);
  const dependencies = Array.isArray(chart['dependencies']) ? chart['dependencies'] : [];
  return {
    name: treeText(chart['name']) ?? '',
    dependencies: dependencies.map((one) => {
      const name = treeText(treeMap(one)['name']) ?? '';
      return { name, alias: treeText(treeMap(one)['alias']) ?? name };
    }),
  };
}
