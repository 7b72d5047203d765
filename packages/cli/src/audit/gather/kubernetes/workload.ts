import { posix } from 'node:path';
import type { Location } from '../../facts/project-facts.js';
import { urlFindings, type Variable, verificationFindings } from '../client-urls.js';
import type { Word } from '../command-line.js';
import { secretsOf } from '../compose/service.js';
import { type ContainerSource, commandSecrets, describeContainer, type MountedFile } from '../described-container.js';
import { emptyReading, type Reading } from '../reading.js';
import { isToolImage } from '../server-image.js';
import { placeOf, type TreeMap, treeList, treeMap, treeText, treeTexts } from '../yaml-tree.js';
import { dataOf, findData, volumeFiles } from './config-data.js';
import { type KubeObject, podOf } from './objects.js';

/** A workload of which a container runs a server. */
export interface ServerWorkload {
  readonly object: KubeObject;
  readonly labels: ReadonlyMap<string, string>;
  readonly ports: ReadonlySet<string>;
}

/** `$(NAME)` as the kubelet fills it in from the container's variables. */
function expanded(text: string, variables: ReadonlyMap<string, Variable>): string {
  return text.replace(/\$\$|\$\((\w+)\)/g, (whole, name: string | undefined) =>
    whole === '$$' ? '$' : (variables.get(name ?? '')?.value ?? whole),
  );
}

function wordsOf(container: TreeMap, key: string, fallback: Location): Word[] | undefined {
  const value = container[key];
  if (value === undefined || value === null) return undefined;
  const at = placeOf(container, key) ?? fallback;
  return treeList(value).map((item, index) => ({
    text: treeText(item) ?? '',
    at: (Array.isArray(value) ? placeOf(value, index) : undefined) ?? at,
  }));
}

/** Variables with what ConfigMaps and Secrets of the same files set; those of other objects stay references. */
function variablesOf(
  container: TreeMap,
  owner: KubeObject,
  objects: readonly KubeObject[],
  at: Location,
): Map<string, Variable & { isReferred?: true }> {
  const variables = new Map<string, Variable & { isReferred?: true }>();
  for (const item of treeList(container['envFrom'])) {
    const { configMapRef, secretRef, prefix } = treeMap(item);
    for (const [kind, ref] of [
      ['ConfigMap', configMapRef],
      ['Secret', secretRef],
    ] as const) {
      const found = ref === undefined ? undefined : findData(objects, owner, kind, treeMap(ref)['name']);
      if (!found) continue;
      for (const [key, file] of dataOf(found)) {
        const name = `${treeText(prefix) ?? ''}${key}`;
        variables.set(name, {
          name,
          value: file.text.trim(),
          at: file.at,
          ...(kind === 'Secret' && { isReferred: true }),
        });
      }
    }
  }
  const list = container['env'];
  for (const [index, item] of treeList(list).entries()) {
    const map = treeMap(item);
    const name = treeText(map['name']) ?? '';
    const place = (Array.isArray(list) ? placeOf(list, index) : undefined) ?? at;
    const value = treeText(map['value']);
    if (value !== undefined) {
      variables.set(name, { name, value: expanded(value, variables), at: place });
      continue;
    }
    const { configMapKeyRef, secretKeyRef } = treeMap(map['valueFrom']);
    const secret = treeMap(secretKeyRef);
    const holder = secretKeyRef === undefined ? undefined : findData(objects, owner, 'Secret', secret['name']);
    const known = holder && dataOf(holder).get(treeText(secret['key']) ?? '')?.text;
    const ref = treeMap(configMapKeyRef);
    const found = configMapKeyRef === undefined ? undefined : findData(objects, owner, 'ConfigMap', ref['name']);
    const text = found && dataOf(found).get(treeText(ref['key']) ?? '')?.text;
    if (map['valueFrom'] === undefined) variables.set(name, { name, value: '', at: place });
    else
      variables.set(name, {
        name,
        value: text ?? known?.trim() ?? `\${${name}}`,
        at: place,
        ...(text === undefined && { isReferred: true }),
      });
  }
  return variables;
}

function readerOf(
  container: TreeMap,
  pod: TreeMap,
  owner: KubeObject,
  objects: readonly KubeObject[],
): ContainerSource['read'] {
  const volumes = new Map(
    treeList(pod['volumes']).map((volume) => [treeText(treeMap(volume)['name']) ?? '', treeMap(volume)]),
  );
  const mounts = treeList(container['volumeMounts']).map((item) => {
    const map = treeMap(item);
    return {
      path: posix.normalize(treeText(map['mountPath']) ?? '/'),
      subPath: treeText(map['subPath']),
      volume: volumes.get(treeText(map['name']) ?? '') ?? {},
    };
  });
  return (path) => {
    const wanted = posix.normalize(path);
    const mount = mounts
      .filter((one) => wanted === one.path || wanted.startsWith(`${one.path.replace(/\/$/, '')}/`))
      .sort((a, b) => b.path.length - a.path.length)[0];
    if (!mount) return Promise.resolve(copiedFile(wanted, pod, owner, objects));
    const rest = wanted.slice(mount.path.length).replace(/^\//, '');
    const key = [mount.subPath, rest].filter(Boolean).join('/');
    return Promise.resolve(
      volumeFiles(mount.volume, owner, objects).get(key) ?? copiedFile(wanted, pod, owner, objects),
    );
  };
}

/** Init containers often copy a ConfigMap's file to where the server reads it: the file of that name is meant. */
function copiedFile(
  path: string,
  pod: TreeMap,
  owner: KubeObject,
  objects: readonly KubeObject[],
): MountedFile | undefined {
  if (!/\.(conf|acl|sh)$/.test(path)) return undefined;
  for (const volume of treeList(pod['volumes'])) {
    const found = volumeFiles(treeMap(volume), owner, objects).get(posix.basename(path));
    if (found) return found;
  }
  return undefined;
}

function placesOf(container: TreeMap, context: TreeMap, pod: TreeMap): Record<string, Location> {
  const places: Record<string, Location> = {};
  const put = (name: string, at: Location | undefined): void => {
    if (at && places[name] === undefined) places[name] = at;
  };
  const capabilities = treeMap(context['capabilities']);
  put('privileged', placeOf(context, 'privileged'));
  put('cap_drop', placeOf(context, 'capabilities'));
  put('cap_add', placeOf(capabilities, 'add'));
  put('read_only', placeOf(context, 'readOnlyRootFilesystem'));
  put('no_new_privileges', placeOf(context, 'allowPrivilegeEscalation'));
  put('security_opt', placeOf(context, 'seccompProfile') ?? placeOf(treeMap(pod['securityContext']), 'seccompProfile'));
  put('user', placeOf(context, 'runAsUser') ?? placeOf(treeMap(pod['securityContext']), 'runAsUser'));
  put('network_mode', placeOf(pod, 'hostNetwork') ?? placeOf(pod, 'hostPID') ?? placeOf(pod, 'hostIPC'));
  put('healthcheck', placeOf(container, 'livenessProbe') ?? placeOf(container, 'readinessProbe'));
  put('command', placeOf(container, 'args') ?? placeOf(container, 'command'));
  put('image', placeOf(container, 'image'));
  put('limits', placeOf(container, 'resources'));
  return places;
}

function rootOf(context: TreeMap, podContext: TreeMap): { user?: string; isOpen: boolean } {
  const user = treeText(context['runAsUser'] ?? podContext['runAsUser']);
  const mustNot = (context['runAsNonRoot'] ?? podContext['runAsNonRoot']) === true;
  return { ...(user !== undefined && { user }), isOpen: user === undefined && !mustNot };
}

async function readContainer(
  container: TreeMap,
  at: Location,
  owner: KubeObject,
  pod: TreeMap,
  objects: readonly KubeObject[],
): Promise<Reading> {
  const reading = emptyReading();
  const image = treeText(container['image']) ?? '';
  const name = treeText(container['name']) ?? 'container';
  const context = treeMap(container['securityContext']);
  const podContext = treeMap(pod['securityContext']);
  const variables = variablesOf(container, owner, objects, at);
  const entrypoint = wordsOf(container, 'command', at);
  const command = wordsOf(container, 'args', at);
  const hostNetwork = pod['hostNetwork'] === true;
  const { user, isOpen } = rootOf(context, podContext);
  const described = await describeContainer({
    name: `${owner.kind} ${owner.name}, container ${name}`,
    at,
    image,
    ...(entrypoint && { entrypoint }),
    ...(command && { command }),
    environment: variables,
    read: readerOf(container, pod, owner, objects),
    hostNetwork,
    ...(user !== undefined && { user }),
  });
  const isTool = isToolImage(image);
  const isServer = described.isServer && !isTool;
  const mustNot = (context['runAsNonRoot'] ?? podContext['runAsNonRoot']) === true;
  const root =
    mustNot && user === undefined
      ? undefined
      : (described.root ??
        (isOpen && isServer ? 'nothing says that it must not run as root (runAsNonRoot)' : undefined));
  const capabilities = treeMap(context['capabilities']);
  const limits = treeMap(treeMap(container['resources'])['limits']);
  const profile = treeMap(context['seccompProfile'] ?? podContext['seccompProfile'])['type'];
  const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'].flatMap((key) =>
    treeTexts(treeMap(treeMap(container[key])['exec'])['command']),
  );
  const ports = container['ports'];
  const volumes = pod['volumes'];
  reading.containers.push({
    name: `${owner.name}/${name}`,
    at,
    kind: 'kubernetes',
    image,
    privileged: context['privileged'] === true,
    ...(user !== undefined && { user }),
    ...(root !== undefined && { root }),
    dropsAll: treeTexts(capabilities['drop']).some((one) => one.toUpperCase() === 'ALL'),
    addedCapabilities: treeTexts(capabilities['add']),
    readOnlyRoot: context['readOnlyRootFilesystem'] === true,
    noNewPrivileges: context['allowPrivilegeEscalation'] === false,
    // Kubernetes limits processes for the whole pod, in the kubelet: not visible in a manifest.
    limits: { memory: limits['memory'] !== undefined, cpu: limits['cpu'] !== undefined, pids: true },
    hostNamespaces: [
      ...(hostNetwork ? ['network'] : []),
      ...(pod['hostPID'] === true ? ['PID'] : []),
      ...(pod['hostIPC'] === true ? ['IPC'] : []),
    ],
    publishedPorts: treeList(ports).flatMap((port, index) => {
      const { hostPort, hostIP, containerPort } = treeMap(port);
      const place = (Array.isArray(ports) ? placeOf(ports, index) : undefined) ?? at;
      return hostPort === undefined
        ? []
        : [
            {
              hostAddress: treeText(hostIP) ?? '0.0.0.0',
              hostPort: treeText(hostPort) ?? '',
              port: Number(treeText(containerPort) ?? 0),
              at: place,
            },
          ];
    }),
    mounts: treeList(volumes).flatMap((volume, index) => {
      const path = treeText(treeMap(treeMap(volume)['hostPath'])['path']);
      const place = Array.isArray(volumes) ? placeOf(volumes, index) : undefined;
      return path === undefined ? [] : [{ path, ...(place && { at: place }) }];
    }),
    places: placesOf(container, context, pod),
    unconfined: profile === 'Unconfined' ? ['seccomp'] : [],
    ...(probes.length > 0 && { healthCheck: probes.join(' ') }),
    command: [...(entrypoint ?? []), ...(command ?? [])].map(({ text }) => text),
    secretVariables: secretsOf(
      [...variables.values()].filter((one) => !one.isReferred),
      isServer || isTool,
    ),
    isServer,
    isTool,
  });
  if (described.server) reading.servers.push(described.server);
  const written = [...variables.values()].filter(({ isReferred }) => !isReferred);
  reading.findings.push(...written.flatMap((variable) => urlFindings(variable)), ...verificationFindings(written));
  for (const { name: option, at: place } of [
    ...described.secrets,
    ...(described.server ? [] : commandSecrets([...(entrypoint ?? []), ...(command ?? [])])),
  ])
    reading.findings.push({
      issue: 'secret-in-clear',
      about: `${owner.name}/${name}: ${option}`,
      at: place,
      detail: `${option} of ${owner.name} is written out in a manifest`,
      remedy: 'Keep it in a Secret that is made outside of the repository (external-secrets, sealed-secrets, SOPS)',
    });
  return reading;
}

/** Containers and servers of a workload; `server` where one of its containers runs a server. */
export async function readWorkload(
  object: KubeObject,
  objects: readonly KubeObject[],
): Promise<{ readings: Reading[]; server?: ServerWorkload; tool?: ServerWorkload }> {
  const pod = podOf(object);
  if (!pod) return { readings: [] };
  const readings: Reading[] = [];
  const ports = { server: new Set<string>(), tool: new Set<string>() };
  for (const key of ['initContainers', 'containers'] as const) {
    const list = pod.spec[key];
    for (const [index, item] of treeList(list).entries()) {
      const at = (Array.isArray(list) ? placeOf(list, index) : undefined) ?? object.at;
      const container = treeMap(item);
      const reading = await readContainer(container, at, object, pod.spec, objects);
      readings.push(reading);
      const role = reading.containers.some((one) => one.isServer)
        ? 'server'
        : reading.containers.some((one) => one.isTool)
          ? 'tool'
          : undefined;
      if (role !== undefined)
        for (const port of treeList(container['ports'])) {
          const { name, containerPort } = treeMap(port);
          for (const text of [treeText(name), treeText(containerPort)]) if (text !== undefined) ports[role].add(text);
        }
    }
  }
  const isServer = readings.some(({ containers }) => containers.some((one) => one.isServer));
  const isTool = readings.some(({ containers }) => containers.some((one) => one.isTool));
  const workload = { object, labels: pod.labels };
  // An exporter beside a server: its port is not one of the server's.
  return {
    readings,
    ...(isServer && { server: { ...workload, ports: ports.server } }),
    ...(!isServer && isTool && { tool: { ...workload, ports: ports.tool } }),
  };
}
