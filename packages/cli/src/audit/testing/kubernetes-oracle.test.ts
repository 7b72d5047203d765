import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import type { CheckId } from '../checks/check.js';
import { auditFiles } from './project-folder.js';
import { type Random, randomOf } from './random.js';

/** What a cluster would run, in its meaning: the truth of each check is a property of this, not of the YAML. */
interface Cluster {
  kind: 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Pod' | 'Job' | 'CronJob' | 'ReplicaSet';
  password: 'none' | 'weak' | 'reference';
  /** Where the password or the configuration comes from. */
  by: 'args' | 'shell' | 'config' | 'environment';
  privileged: boolean;
  root: 'no' | 'pod' | 'container' | 'unsaid';
  hostNetwork: boolean;
  hostPath: string | undefined;
  service: 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'internal' | 'external' | 'none';
  policy: 'none' | 'elsewhere' | 'named' | 'everything' | 'namespaces' | 'world' | 'private' | 'otherPort';
  modules: boolean;
  secret: boolean;
}

function clusterOf(random: Random): Cluster {
  return {
    kind: random.pick(['Deployment', 'StatefulSet', 'DaemonSet', 'Pod', 'Job', 'CronJob', 'ReplicaSet']),
    password: random.pick(['none', 'weak', 'reference']),
    by: random.pick(['args', 'shell', 'config', 'environment']),
    privileged: random.chance(0.3),
    root: random.pick(['no', 'pod', 'container', 'unsaid']),
    hostNetwork: random.chance(0.2),
    hostPath: random.pick([undefined, undefined, '/etc', '/var/run/docker.sock', '/srv/data']),
    service: random.pick(['ClusterIP', 'NodePort', 'LoadBalancer', 'internal', 'external', 'none']),
    policy: random.pick(['none', 'elsewhere', 'named', 'everything', 'namespaces', 'world', 'private', 'otherPort']),
    modules: random.chance(0.3),
    secret: random.chance(0.3),
  };
}

/** The checks that must fail, and among `judged` no other. */
function truthOf(cluster: Cluster): CheckId[] {
  const runsAsRoot = cluster.root !== 'no';
  const facts: readonly [boolean, CheckId][] = [
    [cluster.password === 'none', 'AUTH-002'],
    [cluster.password === 'weak', 'AUTH-005'],
    [cluster.privileged, 'CTR-001'],
    [runsAsRoot, 'CTR-011'],
    [cluster.hostNetwork, 'CTR-006'],
    [cluster.hostNetwork, 'NET-002'],
    [cluster.hostPath === '/etc' || cluster.hostPath === '/var/run/docker.sock', 'CTR-008'],
    [['NodePort', 'LoadBalancer', 'external'].includes(cluster.service), 'NET-017'],
    [['none', 'elsewhere', 'everything', 'namespaces', 'world'].includes(cluster.policy), 'NET-018'],
    [cluster.modules, 'CFG-002'],
  ];
  return facts.filter(([isTrue]) => isTrue).map(([, id]) => id);
}

const judged: readonly CheckId[] = [
  'AUTH-002',
  'AUTH-005',
  'CTR-001',
  'CTR-011',
  'CTR-006',
  'NET-002',
  'CTR-008',
  'NET-017',
  'NET-018',
  'CFG-002',
];
const weak = 'password1';

/** Starts the server as the cluster means it: by arguments, a shell, a ConfigMap, or the variables of Bitnami's image. */
function containerOf(
  cluster: Cluster,
  random: Random,
): { container: Record<string, unknown>; data: Record<string, string> } {
  const options = [
    ...(cluster.password === 'none' ? [] : ['--requirepass', cluster.password === 'weak' ? weak : '$(PW)']),
    ...(cluster.modules ? ['--enable-module-command', 'yes'] : []),
  ];
  const env =
    cluster.password === 'reference'
      ? [{ name: 'PW', valueFrom: { secretKeyRef: { name: 'elsewhere', key: 'pw' } } }]
      : [];
  const image = random.pick([
    'redis:7',
    'docker.io/library/redis@sha256:0',
    'valkey/valkey:8',
    'registry.example.com:5000/mirror/redis',
  ]);
  const program = image.includes('valkey') ? 'valkey-server' : 'redis-server';
  if (cluster.by === 'environment' && !cluster.modules) {
    const variable =
      cluster.password === 'none'
        ? { name: 'ALLOW_EMPTY_PASSWORD', value: 'yes' }
        : cluster.password === 'weak'
          ? { name: 'REDIS_PASSWORD', value: weak }
          : { name: 'REDIS_PASSWORD', valueFrom: { secretKeyRef: { name: 'elsewhere', key: 'pw' } } };
    return { container: { image: 'bitnami/redis:7.2', env: [variable] }, data: {} };
  }
  if (cluster.by === 'config') {
    const lines = options
      .join(' ')
      .split(' --')
      .map((one) => one.replace(/^--/, ''))
      .filter(Boolean);
    const own = lines.filter((line) => !line.includes('$('));
    const rest = options.filter((_, index) => options[index]?.includes('$(') || options[index + 1]?.includes('$('));
    return {
      container: {
        image,
        [random.pick(['args', 'command'])]: [program, '/conf/redis.conf', ...rest],
        env,
        volumeMounts: [{ name: 'conf', mountPath: '/conf' }],
      },
      data: { 'redis.conf': `# made for a test\nmaxmemory 100mb\n${own.join('\n')}\n` },
    };
  }
  if (cluster.by === 'shell')
    return {
      container: {
        image,
        command: ['sh', '-c', `exec ${program} ${options.join(' ').replace('$(PW)', '"$PW"')}`],
        env,
      },
      data: {},
    };
  const words = random.chance(0.5) ? options : [program, ...options];
  return { container: { image, ...(words.length > 0 && { args: words }), env }, data: {} };
}

function policyOf(cluster: Cluster): unknown[] {
  const spec = (podSelector: unknown, rule: unknown): unknown => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name: 'policy' },
    spec: { podSelector, policyTypes: ['Ingress'], ingress: [rule] },
  });
  const web = { podSelector: { matchLabels: { app: 'web' } } };
  switch (cluster.policy) {
    case 'none':
      return [];
    case 'elsewhere':
      return [spec({ matchLabels: { app: 'web' } }, { from: [web] })];
    case 'everything':
      return [spec({}, {})];
    case 'namespaces':
      return [spec({ matchLabels: { app: 'cache' } }, { from: [web, { namespaceSelector: {} }] })];
    case 'world':
      return [
        spec(
          { matchExpressions: [{ key: 'app', operator: 'In', values: ['cache', 'x'] }] },
          { from: [{ ipBlock: { cidr: '0.0.0.0/0' } }] },
        ),
      ];
    case 'private':
      return [spec({}, { from: [{ ipBlock: { cidr: '10.1.0.0/16' } }] })];
    case 'otherPort':
      return [spec({}, { from: [web] }), spec({}, { ports: [{ port: 9121 }] })];
    default:
      return [spec({ matchLabels: { app: 'cache' } }, { from: [web], ports: [{ port: 6379 }] })];
  }
}

function serviceOf(cluster: Cluster): unknown[] {
  const spec = { selector: { app: 'cache' }, ports: [{ port: 6379 }] };
  const service = (more: object, metadata: object = {}): unknown[] => [
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'cache', ...metadata }, spec: { ...spec, ...more } },
  ];
  switch (cluster.service) {
    case 'none':
      return [];
    case 'internal':
      return service(
        { type: 'LoadBalancer' },
        { annotations: { 'service.beta.kubernetes.io/aws-load-balancer-internal': 'true' } },
      );
    case 'external':
      return service({ externalIPs: ['203.0.113.9'] });
    default:
      return service({ type: cluster.service });
  }
}

/** Manifests that mean the cluster, in a random form: one file or several, documents or a List, contexts at either level. */
function manifestsOf(cluster: Cluster, random: Random): Record<string, string> {
  const { container, data } = containerOf(cluster, random);
  const inPod = random.chance(0.5);
  const notRoot = { runAsNonRoot: true, runAsUser: 999 };
  const context = {
    ...(cluster.privileged && { privileged: true }),
    ...(cluster.root === 'container' && { runAsUser: 0 }),
    ...(cluster.root === 'no' && !inPod && notRoot),
  };
  const podContext = {
    ...(cluster.root === 'pod' && { runAsUser: 0 }),
    ...(cluster.root === 'no' && inPod && notRoot),
    // What the container says wins.
    ...(cluster.root === 'container' && random.chance(0.5) && { runAsUser: 999 }),
  };
  const ports = random.chance(0.7) ? [{ containerPort: 6379 }] : [];
  const helper = { name: 'metrics', image: 'oliver006/redis_exporter', ports: [{ containerPort: 9121 }] };
  const pod = {
    ...(cluster.hostNetwork && { hostNetwork: true }),
    ...(Object.keys(podContext).length > 0 && { securityContext: podContext }),
    volumes: [
      ...(cluster.hostPath !== undefined ? [{ name: 'host', hostPath: { path: cluster.hostPath } }] : []),
      ...(Object.keys(data).length > 0 ? [{ name: 'conf', configMap: { name: 'conf' } }] : []),
    ],
    containers: [
      ...(random.chance(0.3) ? [helper] : []),
      { name: 'server', ...container, ports, ...(Object.keys(context).length > 0 && { securityContext: context }) },
    ],
  };
  const template = { metadata: { labels: { app: 'cache' } }, spec: pod };
  const workload =
    cluster.kind === 'Pod'
      ? { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'cache', labels: { app: 'cache' } }, spec: pod }
      : cluster.kind === 'CronJob'
        ? {
            apiVersion: 'batch/v1',
            kind: 'CronJob',
            metadata: { name: 'cache' },
            spec: { jobTemplate: { spec: { template } } },
          }
        : { apiVersion: 'apps/v1', kind: cluster.kind, metadata: { name: 'cache' }, spec: { template } };
  const objects: unknown[] = [
    workload,
    ...(Object.keys(data).length > 0
      ? [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'conf' }, data }]
      : []),
    ...serviceOf(cluster),
    ...policyOf(cluster),
  ];
  objects.sort(() => random.below(3) - 1);
  if (random.chance(0.3)) return { 'list.yaml': stringify({ apiVersion: 'v1', kind: 'List', items: objects }) };
  if (random.chance(0.5)) return { 'all.yaml': objects.map((one) => stringify(one)).join('---\n') };
  return Object.fromEntries(
    objects.map((one, index) => [`k8s/${index}.yaml`, random.chance(0.5) ? stringify(one) : JSON.stringify(one)]),
  );
}

const count = Number(process.env['REDKEEP_ORACLE'] ?? 60);

describe('Kubernetes manifests', () => {
  test(`${count} random clusters are judged as they would run`, async () => {
    for (let seed = 0; seed < count; seed++) {
      const random = randomOf(seed * 104_729 + 7);
      const cluster = clusterOf(random);
      const files = manifestsOf(cluster, random);
      const { findings, notes } = await auditFiles(files);
      const found = findings.map(({ id }) => id).filter((id) => judged.includes(id));
      assert.deepEqual(
        found.sort(),
        [...truthOf(cluster)].sort(),
        `seed ${seed}: ${JSON.stringify(cluster)}\n${Object.values(files).join('---\n')}\n${notes.join('\n')}`,
      );
    }
  });
});
