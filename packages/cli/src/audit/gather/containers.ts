import { readFile } from 'node:fs/promises';
import { type Document, isMap, isScalar, LineCounter, parseAllDocuments, type YAMLMap } from 'yaml';
import type { ContainerFacts } from '../facts/project-facts.js';
import { secretVariable } from '../facts/secret-variable.js';

type Plain = Readonly<Record<string, unknown>>;

const serverImage =
  /(^|\/)(redis|valkey|dragonfly|redis-stack(-server)?|keydb|bitnami\/(redis|valkey))(-cluster|-sentinel)?(:|@|$)/;
const toolImage = /redis-commander|redisinsight|redis_exporter|phpredisadmin|rediscommander/i;

function plain(value: unknown): Plain {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Plain) : {};
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

function texts(value: unknown): string[] {
  return list(value).map(String);
}

/** Line of a key in the file, so that a report can point there. */
function lineNumberOf(map: YAMLMap | undefined, key: string, lines: LineCounter): number {
  const pair = map?.items.find(({ key: name }) => isScalar(name) && name.value === key);
  const offset = isScalar(pair?.key) ? pair.key.range?.[0] : undefined;
  return offset === undefined ? 1 : lines.linePos(offset).line;
}

function environment(value: unknown): [string, string][] {
  if (Array.isArray(value)) return value.map((item) => String(item).split(/=(.*)/s, 2) as [string, string]);
  return Object.entries(plain(value)).map(([name, text]) => [name, String(text ?? '')]);
}

/** Names of variables with a secret in them; references to a file or to the caller's environment hold none. */
function secrets(variables: readonly (readonly [string, string])[]): string[] {
  return variables
    .filter(([name, value]) => secretVariable.test(name) && value && !value.startsWith('/run/secrets/'))
    .map(([name]) => name);
}

function published(port: unknown): ContainerFacts['publishedPorts'] {
  if (typeof port === 'object' && port !== null) {
    const { host_ip: hostAddress = '0.0.0.0', published: hostPort = '', target } = port as Record<string, unknown>;
    return hostPort === ''
      ? []
      : [{ hostAddress: String(hostAddress), hostPort: String(hostPort), port: Number(target) }];
  }
  const [, address, hostPort, target] =
    String(port).match(/^(?:(\[[^\]]+\]|\d+\.[\d.]+):)?(?:([\d-]*):)?(\d+)(?:-\d+)?(?:\/\w+)?$/) ?? [];
  if (hostPort === undefined) return target ? [{ hostAddress: '0.0.0.0', hostPort: 'any', port: Number(target) }] : [];
  return [{ hostAddress: address?.replace(/[[\]]/g, '') ?? '0.0.0.0', hostPort, port: Number(target) }];
}

function mountSource(volume: unknown): string[] {
  if (typeof volume === 'object' && volume !== null) {
    const { type, source } = volume as Record<string, unknown>;
    return type === 'bind' ? [String(source)] : [];
  }
  const [source] = String(volume).split(':');
  return source?.startsWith('/') || source?.startsWith('.') ? [source] : [];
}

function composeService(name: string, service: Plain, at: ContainerFacts['at']): ContainerFacts {
  const image = String(service['image'] ?? '');
  const limits = plain(plain(plain(service['deploy'])['resources'])['limits']);
  const options = texts(service['security_opt']);
  const test = plain(service['healthcheck'])['test'];
  return {
    name,
    at,
    kind: 'compose',
    image,
    privileged: service['privileged'] === true,
    ...(service['user'] !== undefined && { user: String(service['user']) }),
    dropsAll: texts(service['cap_drop']).some((one) => one.toUpperCase() === 'ALL'),
    addedCapabilities: texts(service['cap_add']),
    readOnlyRoot: service['read_only'] === true,
    noNewPrivileges: options.some((option) => /^no-new-privileges([:=]true)?$/.test(option)),
    limits: {
      memory: service['mem_limit'] !== undefined || limits['memory'] !== undefined,
      cpu: service['cpus'] !== undefined || limits['cpus'] !== undefined,
      pids: service['pids_limit'] !== undefined || limits['pids'] !== undefined,
    },
    hostNamespaces: [
      ...(service['network_mode'] === 'host' ? ['network'] : []),
      ...(service['pid'] === 'host' ? ['PID'] : []),
      ...(service['ipc'] === 'host' ? ['IPC'] : []),
    ],
    publishedPorts: list(service['ports']).flatMap(published),
    mounts: list(service['volumes']).flatMap(mountSource),
    seccomp: options.some((option) => /^seccomp[:=]unconfined$/.test(option)) ? 'unconfined' : 'default',
    ...(test !== undefined && { healthCheck: texts(test).join(' ') }),
    command: [...texts(service['entrypoint']), ...texts(service['command'])],
    secretVariables: secrets(environment(service['environment'])),
    isServer: serverImage.test(image) && !toolImage.test(image),
    isTool: toolImage.test(image),
  };
}

function podContainer(container: Plain, pod: Plain, at: ContainerFacts['at']): ContainerFacts {
  const image = String(container['image'] ?? '');
  const context = plain(container['securityContext']);
  const podContext = plain(pod['securityContext']);
  const capabilities = plain(context['capabilities']);
  const limits = plain(plain(container['resources'])['limits']);
  const profile = plain(context['seccompProfile'] ?? podContext['seccompProfile'])['type'];
  const hostPaths = list(pod['volumes']).flatMap((volume) => texts(plain(plain(volume)['hostPath'])['path']));
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((name) =>
    texts(plain(plain(container[name])['exec'])['command']),
  );
  return {
    name: String(container['name'] ?? 'container'),
    at,
    kind: 'kubernetes',
    image,
    privileged: context['privileged'] === true,
    dropsAll: texts(capabilities['drop']).some((one) => one.toUpperCase() === 'ALL'),
    addedCapabilities: texts(capabilities['add']),
    readOnlyRoot: context['readOnlyRootFilesystem'] === true,
    noNewPrivileges: context['allowPrivilegeEscalation'] === false,
    // Kubernetes limits processes for the whole pod, in the kubelet: not visible in a manifest.
    limits: { memory: limits['memory'] !== undefined, cpu: limits['cpu'] !== undefined, pids: true },
    hostNamespaces: [
      ...(pod['hostNetwork'] === true ? ['network'] : []),
      ...(pod['hostPID'] === true ? ['PID'] : []),
      ...(pod['hostIPC'] === true ? ['IPC'] : []),
    ],
    publishedPorts: list(container['ports']).flatMap((port) => {
      const { hostPort, hostIP = '0.0.0.0', containerPort } = plain(port);
      return hostPort === undefined
        ? []
        : [{ hostAddress: String(hostIP), hostPort: String(hostPort), port: Number(containerPort) }];
    }),
    mounts: hostPaths,
    seccomp: profile === 'Unconfined' ? 'unconfined' : 'default',
    ...(probes.length > 0 && { healthCheck: probes.join(' ') }),
    command: [...texts(container['command']), ...texts(container['args'])],
    secretVariables: secrets(
      list(container['env']).map((variable) => [
        String(plain(variable)['name']),
        String(plain(variable)['value'] ?? ''),
      ]),
    ),
    isServer: serverImage.test(image) && !toolImage.test(image),
    isTool: toolImage.test(image),
  };
}

function podOf(resource: Plain): Plain | undefined {
  const spec = plain(resource['spec']);
  if (resource['kind'] === 'Pod') return spec;
  const job = plain(plain(spec['jobTemplate'])['spec']);
  const template = plain(spec['template'] ?? job['template']);
  return Object.keys(template).length > 0 ? plain(template['spec']) : undefined;
}

/** `${VAR:-default}` as Compose fills it in where the variable is not set; other variables stay as they are. */
function interpolated(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\$\{\w+:?-([^}]*)\}/g, '$1');
  if (Array.isArray(value)) return value.map(interpolated);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, interpolated(inner)]));
}

/** Services with what they extend in the same file: maps are merged, lists are joined, the service's own words win. */
function extended(services: Plain): Plain {
  const resolve = (name: string, seen: readonly string[]): Plain => {
    const service = plain(services[name]);
    const given = service['extends'];
    const base =
      typeof given === 'string' ? given : plain(given)['file'] === undefined ? plain(given)['service'] : undefined;
    if (typeof base !== 'string' || seen.includes(base)) return service;
    return mergedService(resolve(base, [...seen, name]), service);
  };
  return Object.fromEntries(Object.keys(services).map((name) => [name, resolve(name, [])]));
}

/** Replaced as a whole; everything else is merged (maps) or joined (lists), as the Compose specification says. */
const replacedWhole = new Set(['command', 'entrypoint', 'healthcheck']);

function mergedService(base: Plain, own: Plain): Plain {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(own)) {
    const before = merged[name];
    if (replacedWhole.has(name) || before === undefined) merged[name] = value;
    else if (name === 'environment')
      merged[name] = { ...Object.fromEntries(environment(before)), ...Object.fromEntries(environment(value)) };
    else if (Array.isArray(before) && Array.isArray(value)) merged[name] = [...before, ...value];
    else if (typeof before === 'object' && typeof value === 'object')
      merged[name] = mergedService(plain(before), plain(value));
    else merged[name] = value;
  }
  return merged;
}

function containersOfDocument(document: Document, file: string, lines: LineCounter): ContainerFacts[] {
  const resource = plain(document.toJS());
  const services = extended(plain(interpolated(resource['services'])));
  if (Object.keys(services).length > 0 && resource['kind'] === undefined) {
    const map = isMap(document.contents) ? document.get('services') : undefined;
    return Object.entries(services).map(([name, service]) =>
      composeService(name, plain(service), { file, line: lineNumberOf(isMap(map) ? map : undefined, name, lines) }),
    );
  }
  const pod = podOf(resource);
  if (!pod) return [];
  const start = document.contents?.range?.[0];
  const at = { file, line: start === undefined ? 1 : lines.linePos(start).line };
  return [...list(pod['initContainers']), ...list(pod['containers'])].map((container) =>
    podContainer(plain(container), pod, at),
  );
}

/** Containers of a Compose file or of Kubernetes manifests (several documents in one file). */
export async function readContainers(file: string): Promise<ContainerFacts[]> {
  const lines = new LineCounter();
  const documents = parseAllDocuments(await readFile(file, 'utf8'), { lineCounter: lines, merge: true });
  const all = 'empty' in documents ? [] : documents;
  const error = all.flatMap((document) => document.errors)[0];
  if (error) throw new Error(`${file}: ${error.message.split('\n')[0]}`);
  return all.flatMap((document) => containersOfDocument(document as Document, file, lines));
}
