import { join, posix } from 'node:path';
import type { ContainerFacts, FileFinding, Location } from '../../facts/project-facts.js';
import {
  isAboutServers,
  isClearSecret,
  isSecretName,
  plaintextFindings,
  urlFindings,
  type Variable,
  verificationFindings,
} from '../client-urls.js';
import { splitWords, type Word } from '../command-line.js';
import { type ContainerSource, commandSecrets, describeContainer, type MountedFile } from '../described-container.js';
import { type ImageRecipe, readImageRecipe } from '../image-recipe.js';
import { addReading, emptyReading, type Reading } from '../reading.js';
import { isToolImage } from '../server-image.js';
import { readTextFile } from '../text-file.js';
import { isTrue, placeOf, type Tree, type TreeMap, treeList, treeMap, treeText, treeTexts } from '../yaml-tree.js';
import { type ComposeProject, loadComposeProject } from './compose-project.js';
import { volumeParts } from './merge.js';
import { parsePorts } from './ports.js';

/** Words of `command` or `entrypoint`; a text is split without a shell, as Compose does. */
function wordsOf(service: TreeMap, key: string, fallback: Location): Word[] | undefined {
  const value = service[key];
  if (value === undefined || value === null) return undefined;
  const at = placeOf(service, key) ?? fallback;
  if (Array.isArray(value))
    return value.flatMap((item, index) => {
      const text = treeText(item);
      return text === undefined ? [] : [{ text, at: placeOf(value, index) ?? at }];
    });
  return splitWords(treeText(value) ?? '').map((text) => ({ text, at }));
}

interface Mount {
  readonly source: string;
  readonly target: string;
  readonly at: Location;
}

/** Folders and files of the host in the container; named volumes hold nothing that the project says. */
function bindMounts(service: TreeMap, fallback: Location): Mount[] {
  const volumes = service['volumes'];
  return treeList(volumes).flatMap((item, index) => {
    const at =
      (Array.isArray(volumes) ? placeOf(volumes, index) : undefined) ?? placeOf(service, 'volumes') ?? fallback;
    const map = treeMap(item);
    const short = treeText(item);
    const { source, target } =
      short === undefined
        ? { source: map['type'] === 'bind' ? treeText(map['source']) : undefined, target: treeText(map['target']) }
        : volumeParts(short);
    if (source === undefined || target === undefined || !/^[./~]|^\$\{|^[A-Za-z]:/.test(source)) return [];
    return [{ source, target: posix.normalize(target), at }];
  });
}

/** Text of a config or secret by its name, from a file or written in the Compose file itself. */
async function sectionText(
  section: TreeMap,
  name: string,
  variables: ReadonlyMap<string, string>,
): Promise<MountedFile | undefined> {
  const entry = treeMap(section[name]);
  const content = treeText(entry['content']);
  const at = placeOf(entry, 'content') ?? placeOf(section, name);
  // A block's text begins on the line behind its key.
  if (content !== undefined && at) return { text: content, at: { file: at.file, line: at.line + 1 } };
  const file = treeText(entry['file']);
  if (file !== undefined) return { text: await readTextFile(file), at: { file, line: 1 } };
  const variable = treeText(entry['environment']);
  const value = variable === undefined ? undefined : variables.get(variable);
  return value === undefined || !at ? undefined : { text: value, at };
}

/** Reads the container's paths: bind mounts, configs and secrets, and what the image's recipe copies. */
function readerOf(
  service: TreeMap,
  project: ComposeProject,
  mounts: readonly Mount[],
  recipe: ImageRecipe | undefined,
): ContainerSource['read'] {
  const named = (key: 'configs' | 'secrets', folder: string): { name: string; target: string }[] =>
    treeList(service[key]).flatMap((item) => {
      const map = treeMap(item);
      const name = treeText(item) ?? treeText(map['source']);
      if (name === undefined) return [];
      return [{ name, target: posix.resolve(folder, treeText(map['target']) ?? name) }];
    });
  const configs = named('configs', '/');
  const secrets = named('secrets', '/run/secrets');
  return async (path) => {
    const wanted = posix.normalize(path);
    const ignoreMissing = (): undefined => undefined;
    const config = configs.find(({ target }) => target === wanted);
    if (config) return sectionText(project.configs, config.name, new Map()).catch(ignoreMissing);
    const secret = secrets.find(({ target }) => target === wanted);
    if (secret) return sectionText(project.secrets, secret.name, new Map()).catch(ignoreMissing);
    const mount = mounts
      .filter(({ target }) => wanted === target || wanted.startsWith(`${target.replace(/\/$/, '')}/`))
      .sort((a, b) => b.target.length - a.target.length)[0];
    const file = mount ? join(mount.source, wanted.slice(mount.target.length)) : await recipe?.hostPathOf(wanted);
    return file === undefined
      ? undefined
      : readTextFile(file).then((text) => ({ text, at: { file, line: 1 } }), ignoreMissing);
  };
}

function publishedBy(service: TreeMap, fallback: Location): ContainerFacts['publishedPorts'] {
  const ports = service['ports'];
  return treeList(ports).flatMap((item, index) => {
    const at = (Array.isArray(ports) ? placeOf(ports, index) : undefined) ?? placeOf(service, 'ports') ?? fallback;
    return parsePorts(item).map(({ hostAddress, hostPort, port }) => ({ hostAddress, hostPort, port, at }));
  });
}

/** Ports of a service whose network another one lends (`network_mode: service:NAME`) are published there. */
function portsOf(service: TreeMap, project: ComposeProject, fallback: Location): ContainerFacts['publishedPorts'] {
  const [, lender] = /^(?:service|container):(.+)$/.exec(treeText(service['network_mode']) ?? '') ?? [];
  const other = lender === undefined ? undefined : project.services[lender];
  return [...publishedBy(service, fallback), ...(other === undefined ? [] : publishedBy(treeMap(other), fallback))];
}

function unconfinedBy(options: readonly string[]): string[] {
  const off: readonly [RegExp, string][] = [
    [/^seccomp[:=]unconfined$/, 'seccomp'],
    [/^apparmor[:=]unconfined$/, 'AppArmor'],
    [/^label[:=]disable$/, 'SELinux labels'],
  ];
  return off.flatMap(([option, name]) => (options.some((one) => option.test(one.trim())) ? [name] : []));
}

const placed =
  'privileged cap_add cap_drop read_only security_opt ports volumes user network_mode pid ipc healthcheck command entrypoint image'.split(
    ' ',
  );

async function readService(name: string, service: TreeMap, project: ComposeProject): Promise<Reading> {
  const reading = emptyReading();
  const at = placeOf(project.services, name) ?? { file: project.files[0] ?? '', line: 1 };
  const recipe = service['build'] === undefined ? undefined : await readImageRecipe(service['build'], reading);
  const image = treeText(service['image']) ?? recipe?.base ?? '';
  const own = treeMap(service['environment']);
  const variables: Variable[] = [
    ...(recipe?.variables ?? []),
    ...Object.keys(own).map((key) => ({ name: key, value: treeText(own[key]) ?? '', at: placeOf(own, key) ?? at })),
  ];
  const mounts = bindMounts(service, at);
  const entrypoint = wordsOf(service, 'entrypoint', at) ?? recipe?.entrypoint;
  const command =
    wordsOf(service, 'command', at) ?? (service['entrypoint'] === undefined ? recipe?.command : undefined);
  const user = treeText(service['user']) ?? recipe?.user;
  const hostNetwork = service['network_mode'] === 'host';
  const described = await describeContainer({
    name,
    at,
    image: recipe?.base ?? image,
    ...(entrypoint && { entrypoint }),
    ...(command && { command }),
    environment: new Map(variables.map((one) => [one.name, one])),
    read: readerOf(service, project, mounts, recipe),
    hostNetwork,
    ...(user !== undefined && { user }),
  });
  const limits = treeMap(treeMap(treeMap(service['deploy'])['resources'])['limits']);
  const options = treeTexts(service['security_opt']);
  const healthcheck = treeMap(service['healthcheck']);
  const test = healthcheck['test'];
  const isTool = isToolImage(image);
  const places: Record<string, Location> = {};
  for (const key of placed) {
    const place = placeOf(service, key);
    if (place) places[key] = place;
  }
  reading.containers.push({
    name,
    at,
    kind: 'compose',
    image,
    privileged: isTrue(service['privileged']),
    ...(user !== undefined && { user }),
    ...(described.root !== undefined && { root: described.root }),
    dropsAll: treeTexts(service['cap_drop']).some((one) => one.toUpperCase() === 'ALL'),
    addedCapabilities: treeTexts(service['cap_add']),
    readOnlyRoot: isTrue(service['read_only']),
    noNewPrivileges: options.some((option) => /^no-new-privileges([:=]true)?$/.test(option.trim())),
    limits: {
      memory: isLimit(service['mem_limit']) || isLimit(limits['memory']),
      cpu: ['cpus', 'cpu_quota', 'cpuset'].some((key) => isLimit(service[key])) || isLimit(limits['cpus']),
      pids: isLimit(service['pids_limit']) || isLimit(limits['pids']),
    },
    hostNamespaces: [
      ...(hostNetwork ? ['network'] : []),
      ...(service['pid'] === 'host' ? ['PID'] : []),
      ...(service['ipc'] === 'host' ? ['IPC'] : []),
      ...(service['uts'] === 'host' ? ['UTS'] : []),
    ],
    publishedPorts: portsOf(service, project, at),
    mounts: mounts.map(({ source, at: place }) => ({ path: source, at: place })),
    places,
    unconfined: unconfinedBy(options),
    ...(test !== undefined && !isTrue(healthcheck['disable']) && { healthCheck: treeTexts(test).join(' ') }),
    command: [...(entrypoint ?? []), ...(command ?? [])].map(({ text }) => text),
    secretVariables: secretsOf(variables, described.isServer || isTool),
    isServer: described.isServer && !isTool,
    isTool,
  });
  if (described.server) reading.servers.push(described.server);
  reading.findings.push(
    ...findingsOf(name, variables, described, project, [...(entrypoint ?? []), ...(command ?? [])]),
  );
  return reading;
}

/** `-1` and `0` mean that there is no limit. */
function isLimit(value: Tree | undefined): boolean {
  const text = treeText(value);
  return text !== undefined && !/^(-1|0)$/.test(text);
}

/** Of a server's container every secret counts; of an application's, what leads to a server and is written out. */
export function secretsOf(variables: readonly Variable[], isServer: boolean): ContainerFacts['secretVariables'] {
  return variables
    .filter((one) =>
      isServer
        ? isClearSecret(one) ||
          (isSecretName(one.name) &&
            one.value !== '' &&
            !one.value.startsWith('/run/secrets/') &&
            !/^(yes|no|true|false)$/i.test(one.value))
        : isAboutServers(one) && isClearSecret(one),
    )
    .map(({ name, at }) => ({ name, at }));
}

function findingsOf(
  name: string,
  variables: readonly Variable[],
  described: Awaited<ReturnType<typeof describeContainer>>,
  project: ComposeProject,
  words: readonly Word[],
): FileFinding[] {
  const local = new Set([
    ...Object.keys(project.services),
    ...Object.values(project.services).flatMap((service) => [
      ...treeTexts(treeMap(service)['container_name']),
      ...treeTexts(treeMap(service)['hostname']),
    ]),
  ]);
  return [
    ...variables.flatMap((variable) => urlFindings(variable, local)),
    ...verificationFindings(variables),
    ...plaintextFindings(variables, local),
    ...[...described.secrets, ...(described.server ? [] : commandSecrets(words))]
      .filter(({ at }) => project.files.includes(at.file) || /\.ya?ml$/.test(at.file))
      .map(({ name: option, at }) => ({
        issue: 'secret-in-clear' as const,
        about: `${name}: ${option}`,
        at,
        detail: `${option} of ${name} is written out in a deployment file`,
        remedy: 'Mount it as a secret, and keep it out of the repository',
      })),
  ];
}

/** Containers that one file describes as Compose would, without being a Compose file. */
export async function readServices(services: TreeMap, file: string): Promise<Reading> {
  const reading = emptyReading();
  const project = { services, configs: {}, secrets: {}, files: [file], problems: [] };
  for (const [name, service] of Object.entries(services))
    addReading(reading, await readService(name, treeMap(service), project));
  return reading;
}

/** Containers, servers and findings of a Compose project; its files are given in the order of `docker compose -f`. */
export async function readComposeProject(files: readonly string[]): Promise<Reading> {
  const project = await loadComposeProject(files);
  const reading = emptyReading();
  for (const [name, service] of Object.entries(project.services))
    addReading(reading, await readService(name, treeMap(service), project));
  reading.unreadable.push(...project.problems.map(({ file, reason }) => ({ file, reason })));
  return reading;
}
