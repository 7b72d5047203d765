import type { IStatefulSet } from 'kubernetes-models/apps/v1';
import type { INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IService } from 'kubernetes-models/v1';
import { stringify } from 'yaml';
import { type Deployment, type DeploymentNode, dataNodes, sentinelNodes } from '../model.js';
import { prefixOf } from '../naming.js';
import { imageParts, serverImage } from '../server-image.js';
import { keepServerOwnedScript } from '../server-owned.js';
import { containerCommand, healthCommand, liveCommand, nodeFiles, runningConfigPath } from './health-check.js';
import type { RenderedFile } from './rendered-file.js';

/**
 * Manifests, a kustomization of them without Secrets, which a repository can hold, and around it one that makes the
 * Secrets from this folder: no secret is in a manifest.
 */
export function renderKubernetes(deployment: Deployment): RenderedFile[] {
  const manifests = deployment.nodes.map((node) => ({
    path: `kubernetes/${node.name}.yaml`,
    documents: [statefulSet(deployment, node), service(deployment, node)],
  }));
  const shared = {
    path: 'kubernetes/network-policy.yaml',
    documents: [networkPolicy(deployment), ...disruptionBudgets(deployment)],
  };
  return [
    ...[...manifests, shared].map(({ path, documents }) => yamlFile(path, documents)),
    yamlFile(withoutSecrets, [kustomization(deployment)]),
    yamlFile('kustomization.yaml', [withSecrets(deployment)]),
  ];
}

/** The kustomization that names the image. */
export const withoutSecrets = 'kubernetes/kustomization.yaml';

const head = '# Written by redkeep init. RUNBOOK.md says how to apply it.\n';

function yamlFile(path: string, documents: readonly unknown[]): RenderedFile {
  const content = documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n');
  return { path, mode: 0o644, content: head + content };
}

function part(deployment: Deployment): Record<string, string> {
  return { 'app.kubernetes.io/part-of': prefixOf(deployment) };
}

function labels(deployment: Deployment, node: DeploymentNode): Record<string, string> {
  return { ...part(deployment), 'app.kubernetes.io/name': workloadName(deployment, node) };
}

/** StatefulSet and Service of a node; in one namespace two deployments keep apart. */
export function workloadName(deployment: Deployment, node: DeploymentNode): string {
  return node.host === node.name ? node.name : `${prefixOf(deployment)}-${node.name}`;
}

function secretName(deployment: Deployment, node: DeploymentNode): string {
  return `${prefixOf(deployment)}-${node.name}`;
}

/** A key of a Secret may hold letters, digits, dot, dash and underscore. */
function secretKey(file: string): string {
  return file.replaceAll('/', '__');
}

function kustomization(deployment: Deployment): unknown {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    images: [
      {
        name: 'redkeep-server',
        ...(deployment.image === undefined ? noImage(deployment) : imageParts(deployment.image)),
      },
    ],
    resources: [...deployment.nodes.map(({ name }) => `${name}.yaml`), 'network-policy.yaml'],
  };
}

function withSecrets(deployment: Deployment): unknown {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['kubernetes'],
    // Without a hash in its name a changed Secret restarts no pod; the servers take it when redkeep apply says so.
    generatorOptions: { disableNameSuffixHash: true },
    secretGenerator: deployment.nodes.map((node) => ({
      name: secretName(deployment, node),
      files: nodeFiles(deployment, node).map((file) => `${secretKey(file)}=${file}`),
    })),
  };
}

/** A digest that no registry has: nothing runs until `--image` names what was tested. */
export const placeholderDigest = `sha256:${'0'.repeat(64)}`;

function noImage(deployment: Deployment) {
  return { newName: imageParts(serverImage(deployment)).newName, digest: placeholderDigest };
}

function statefulSet(deployment: Deployment, node: DeploymentNode): IStatefulSet {
  const probe = (command: string) => ({
    exec: { command: ['sh', '-c', command] },
    periodSeconds: 10,
    timeoutSeconds: 5,
  });
  // Three questions: has it come up, may clients be sent there, and is it so broken that only a restart helps?
  const answers = probe(liveCommand(deployment, node));
  const serves = probe(healthCommand(deployment, node));
  const memory = node.role === 'sentinel' ? 128 : Math.ceil(deployment.policy.memoryMegabytes * 1.5) + 64;
  const restricted = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: workloadName(deployment, node), labels: labels(deployment, node) },
    spec: {
      serviceName: workloadName(deployment, node),
      replicas: 1,
      // redkeep apply replaces pods one by one, replicas first, a primary after a handover.
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: labels(deployment, node) },
      template: {
        metadata: { labels: labels(deployment, node) },
        spec: {
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: part(deployment) },
            },
          ],
          terminationGracePeriodSeconds: 120,
          securityContext: {
            runAsNonRoot: true,
            runAsUser: 999,
            runAsGroup: 999,
            fsGroup: 999,
            seccompProfile: { type: 'RuntimeDefault' },
          },
          initContainers: [
            {
              // Servers write their configuration (failover, CONFIG REWRITE); a Secret cannot be written.
              name: 'configuration',
              image: 'redkeep-server',
              command: ['sh', '-c', placeConfiguration(deployment, node)],
              env: [{ name: 'NODE', value: node.name }],
              securityContext: restricted,
              resources: { limits: { memory: '32Mi', cpu: '100m' }, requests: { memory: '16Mi', cpu: '10m' } },
              volumeMounts: [
                { name: 'configuration', mountPath: `/etc/redkeep/nodes/${node.name}` },
                { name: 'writable', mountPath: '/secret', readOnly: true },
                { name: 'data', mountPath: '/data' },
              ],
            },
          ],
          containers: [
            {
              name: 'server',
              image: 'redkeep-server',
              command: containerCommand(deployment, node),
              workingDir: '/data',
              ports: [{ name: 'tls', containerPort: node.port }],
              securityContext: restricted,
              resources: {
                limits: { memory: `${memory}Mi`, cpu: '2' },
                requests: { memory: `${memory}Mi`, cpu: '100m' },
              },
              startupProbe: { ...answers, failureThreshold: 60 },
              readinessProbe: { ...serves, failureThreshold: 3 },
              livenessProbe: { ...answers, periodSeconds: 30, failureThreshold: 5 },
              volumeMounts: [
                { name: 'data', mountPath: '/data' },
                { name: 'tmp', mountPath: '/tmp' },
                { name: 'configuration', mountPath: `/etc/redkeep/nodes/${node.name}` },
                { name: 'pki', mountPath: '/etc/redkeep/pki', readOnly: true },
                { name: 'secrets', mountPath: '/etc/redkeep/secrets', readOnly: true },
              ],
            },
          ],
          volumes: [
            { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
            { name: 'configuration', emptyDir: { medium: 'Memory', sizeLimit: '4Mi' } },
            { name: 'writable', secret: secretVolume(deployment, node, `nodes/${node.name}/`) },
            { name: 'pki', secret: secretVolume(deployment, node, 'pki/') },
            { name: 'secrets', secret: secretVolume(deployment, node, 'secrets/') },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: 'data' },
          spec: {
            accessModes: ['ReadWriteOnce'],
            resources: {
              requests: { storage: `${Math.max(1, Math.ceil((deployment.policy.memoryMegabytes * 4) / 1024))}Gi` },
            },
          },
        },
      ],
    },
  };
}

/**
 * Copies what a Secret holds to where the server may write. The configuration goes to the volume, and keeps the lines
 * that the server wrote there: a pod that comes back must not undo a failover.
 */
function placeConfiguration(deployment: Deployment, node: DeploymentNode): string {
  const running = runningConfigPath(deployment, node);
  const file = running.slice('/data/.redkeep/'.length);
  return [
    'set -eu; umask 077',
    'mkdir -p "/etc/redkeep/nodes/$NODE" /data/.redkeep',
    'cp -L /secret/* "/etc/redkeep/nodes/$NODE/"',
    keepServerOwnedScript(`/secret/${file}`, running, node.role),
  ].join('; ');
}

function secretVolume(deployment: Deployment, node: DeploymentNode, prefix: string) {
  const files = nodeFiles(deployment, node).filter((file) => file.startsWith(prefix));
  return {
    secretName: secretName(deployment, node),
    defaultMode: 0o440,
    items: files.map((file) => ({ key: secretKey(file), path: file.slice(prefix.length) })),
  };
}

function service(deployment: Deployment, node: DeploymentNode): IService {
  const bus = node.busPort === undefined ? [] : [{ name: 'bus', port: node.busPort, targetPort: node.busPort }];
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: workloadName(deployment, node), labels: labels(deployment, node) },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: labels(deployment, node),
      ports: [{ name: 'tls', port: node.port, targetPort: node.port }, ...bus],
    },
  };
}

/** Only the nodes themselves, and pods that carry the label, reach the servers. */
function networkPolicy(deployment: Deployment): INetworkPolicy {
  const ports = deployment.nodes.map(({ port }) => port);
  const peers = deployment.nodes.flatMap(({ port, busPort }) => (busPort === undefined ? [port] : [port, busPort]));
  const tcp = (list: readonly number[]) => [...new Set(list)].map((port) => ({ protocol: 'TCP' as const, port }));
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: prefixOf(deployment), labels: part(deployment) },
    spec: {
      podSelector: { matchLabels: part(deployment) },
      policyTypes: ['Ingress', 'Egress'],
      ingress: [
        { from: [{ podSelector: { matchLabels: part(deployment) } }], ports: tcp(peers) },
        { from: [{ podSelector: { matchLabels: { 'redkeep/client': 'true' } } }], ports: tcp(ports) },
        ...(deployment.sources.length > 0
          ? [{ from: deployment.sources.map((source) => ({ ipBlock: { cidr: network(source) } })), ports: tcp(ports) }]
          : []),
      ],
      egress: [
        { to: [{ podSelector: { matchLabels: part(deployment) } }], ports: tcp(peers) },
        {
          ports: [
            { protocol: 'UDP', port: 53 },
            { protocol: 'TCP', port: 53 },
          ],
        },
      ],
    },
  };
}

/** Evictions take one data node at a time, and leave the sentinels their majority. */
function disruptionBudgets(deployment: Deployment): unknown[] {
  const groups = [
    { suffix: 'data', nodes: dataNodes(deployment) },
    { suffix: 'sentinels', nodes: sentinelNodes(deployment) },
  ];
  return groups
    .filter(({ nodes }) => nodes.length > 1)
    .map(({ suffix, nodes }) => ({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: `${prefixOf(deployment)}-${suffix}`, labels: part(deployment) },
      spec: {
        maxUnavailable: 1,
        selector: {
          matchExpressions: [
            {
              key: 'app.kubernetes.io/name',
              operator: 'In',
              values: nodes.map((node) => workloadName(deployment, node)),
            },
          ],
        },
      },
    }));
}

function network(source: string): string {
  return source.includes('/') ? source : `${source}/${source.includes(':') ? 128 : 32}`;
}
