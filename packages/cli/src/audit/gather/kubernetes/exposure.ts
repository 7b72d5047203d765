import { isPrivateRange } from '../../facts/address-range.js';
import type { FileFinding } from '../../facts/project-facts.js';
import { placeOf, type Tree, type TreeMap, treeList, treeMap, treeText, treeTexts } from '../yaml-tree.js';
import { type KubeObject, sameNamespace, selects } from './objects.js';
import type { ServerWorkload } from './workload.js';

const serverPorts = new Set([
  '6379',
  '6380',
  '16379',
  '26379',
  'redis',
  'valkey',
  'tcp-redis',
  'tcp-valkey',
  'sentinel',
  'tcp-redis-sentinel',
  'dragonfly',
]);
const serverWord = /redis|valkey|dragonfly|keydb|sentinel/i;
/** Annotations by which clouds give a load balancer an address of the private network only. */
const internal = /load-?balancer-(internal|type|scheme)|internal-load-balancer|lb-internal/i;

function isInternalBalancer(object: KubeObject): boolean {
  const annotations = treeMap(treeMap(object.tree['metadata'])['annotations']);
  const isSaidSo = Object.entries(annotations).some(
    ([name, value]) => internal.test(name) && /^(true|internal|yes|1)$|^0\.0\.0\.0\/0$/i.test(treeText(value) ?? ''),
  );
  const ranges = treeTexts(object.spec['loadBalancerSourceRanges']);
  return isSaidSo || (ranges.length > 0 && ranges.every(isPrivateRange));
}

function leadsToServer(service: KubeObject, workloads: readonly ServerWorkload[]): boolean {
  const selector = service.spec['selector'];
  const selected = workloads.filter(
    ({ object, labels }) =>
      sameNamespace(object, service) && Object.keys(treeMap(selector)).length > 0 && selects(selector, labels),
  );
  const ports = treeList(service.spec['ports']).map(treeMap);
  if (selected.length > 0) {
    // A pod may have a metrics port beside the server's: a Service for that one alone leads elsewhere.
    const isMetrics = (port: TreeMap): boolean =>
      /metrics|exporter/i.test(treeText(port['name']) ?? '') ||
      /^(9121|metrics)$/.test(treeText(port['targetPort'] ?? port['port']) ?? '');
    return ports.length === 0 || !ports.every(isMetrics);
  }
  return (
    ports.some((port) => ['name', 'port', 'targetPort'].some((key) => serverPorts.has(treeText(port[key]) ?? ''))) &&
    (workloads.length === 0 || serverWord.test(`${service.name} ${JSON.stringify(treeMap(selector))}`))
  );
}

/** Services of the servers, and those among them that the outside reaches. */
function exposedServices(services: readonly KubeObject[]): FileFinding[] {
  return services.flatMap((service) => {
    const type = treeText(service.spec['type']) ?? 'ClusterIP';
    const external = treeTexts(service.spec['externalIPs']);
    const found: FileFinding[] = [];
    const add = (key: string, detail: string): void => {
      found.push({
        issue: 'outside-access',
        about: `Service ${service.name}: ${key}`,
        at: placeOf(service.spec, key) ?? service.at,
        detail: `Service ${service.name} ${detail}`,
        remedy:
          'type: ClusterIP; clients outside of the cluster come through a VPN or a proxy that asks for certificates',
      });
    };
    if (type === 'LoadBalancer' && !isInternalBalancer(service))
      add('type', 'is a LoadBalancer: it gets an address outside of the cluster');
    if (type === 'NodePort') add('type', 'is a NodePort: every node of the cluster listens for it');
    if (external.length > 0) add('externalIPs', `is reached at ${external.join(', ')}`);
    return found;
  });
}

/** Text of every value in a tree, to find the name of a Service in rules whose form depends on the controller. */
function* namedBackends(tree: Tree): Generator<{ name: string; port: string }> {
  if (Array.isArray(tree)) for (const item of tree) yield* namedBackends(item);
  else if (typeof tree === 'object' && tree !== null) {
    const map = treeMap(tree);
    const port = treeMap(map['port']);
    const name = treeText(map['name'] ?? map['serviceName'] ?? map['host']);
    if (name !== undefined)
      yield {
        name,
        port:
          treeText(map['servicePort']) ??
          treeText(map['port']) ??
          treeText(port['number']) ??
          treeText(port['name']) ??
          '',
      };
    for (const value of Object.values(map)) yield* namedBackends(value);
  }
}

const routes =
  /^(Ingress|IngressRoute|IngressRouteTCP|TCPRoute|TLSRoute|HTTPRoute|VirtualService|TransportServer|TCPIngress|HTTPProxy)$/;

function exposedRoutes(objects: readonly KubeObject[], services: readonly KubeObject[]): FileFinding[] {
  const names = new Set(services.map(({ name }) => name));
  const isServer = (name: string, port: string): boolean =>
    names.has(name.split('.')[0]!) || (serverWord.test(name) && serverPorts.has(port));
  const found: FileFinding[] = [];
  for (const object of objects) {
    if (routes.test(object.kind)) {
      const backend = [...namedBackends(object.spec)].find(({ name, port }) => isServer(name, port));
      if (backend)
        found.push({
          issue: 'outside-access',
          about: `${object.kind} ${object.name}`,
          at: object.at,
          detail: `${object.kind} ${object.name} leads to ${backend.name}`,
          remedy: 'Take the route away; clients outside of the cluster come through a VPN',
        });
    }
    // ingress-nginx takes its TCP routes from a ConfigMap: "6379": "namespace/service:port".
    if (object.kind !== 'ConfigMap') continue;
    const data = treeMap(object.tree['data']);
    for (const [port, value] of Object.entries(data)) {
      const [, service = '', target = ''] = /^[\w-]+\/([\w.-]+):(\w[\w-]*)/.exec(treeText(value) ?? '') ?? [];
      if (/^\d+$/.test(port) && service !== '' && isServer(service, target))
        found.push({
          issue: 'outside-access',
          about: `ConfigMap ${object.name}: ${port}`,
          at: placeOf(data, port) ?? object.at,
          detail: `ConfigMap ${object.name} publishes ${service} on port ${port} of the ingress controller`,
          remedy: 'Take the entry away; clients outside of the cluster come through a VPN',
        });
    }
  }
  return found;
}

/** Why a rule of a policy lets too much in; undefined where it names its sources. */
function tooWide(rule: TreeMap): string | undefined {
  const from = treeList(rule['from']);
  if (from.length === 0) return 'from everywhere';
  for (const item of from) {
    const { ipBlock, namespaceSelector, podSelector } = treeMap(item);
    const cidr = treeText(treeMap(ipBlock)['cidr']);
    if (cidr !== undefined && !isPrivateRange(cidr)) return `from ${cidr}`;
    const isEmpty = (selector: Tree | undefined): boolean => Object.keys(treeMap(selector)).length === 0;
    if (namespaceSelector !== undefined && isEmpty(namespaceSelector) && isEmpty(podSelector))
      return 'from every namespace';
  }
  return undefined;
}

/** Whether a rule is about the server's ports; a rule without ports is about all. */
function concernsServer(rule: TreeMap, ports: ReadonlySet<string>): boolean {
  const listed = treeList(rule['ports']).map(treeMap);
  if (listed.length === 0) return true;
  return listed.some((port) => {
    const text = treeText(port['port']);
    if (text === undefined) return true;
    const end = Number(treeText(port['endPort']) ?? text);
    return [...ports, ...(ports.size === 0 ? serverPorts : [])].some(
      (one) => one === text || (Number(one) >= Number(text) && Number(one) <= end),
    );
  });
}

function policyFindings(workload: ServerWorkload, objects: readonly KubeObject[]): FileFinding[] {
  const { object, labels, ports } = workload;
  const policies = objects.filter(
    (one) =>
      one.kind === 'NetworkPolicy' &&
      sameNamespace(one, object) &&
      selects(one.spec['podSelector'], labels) &&
      (one.spec['policyTypes'] === undefined || treeTexts(one.spec['policyTypes']).includes('Ingress')),
  );
  const others = objects.filter(
    ({ kind }) => /^(Cilium|Calico|Global)?(Clusterwide)?NetworkPolicy$/.test(kind) && kind !== 'NetworkPolicy',
  );
  if (policies.length === 0)
    return others.length > 0
      ? []
      : [
          {
            issue: 'no-network-policy',
            about: `${object.kind} ${object.name}`,
            at: object.at,
            detail: `no NetworkPolicy of these files selects the pods of ${object.kind} ${object.name}: every pod of the cluster reaches them`,
            remedy: 'A NetworkPolicy that selects them and names the pods that may connect',
          },
        ];
  return policies.flatMap((policy) => {
    const rules = policy.spec['ingress'];
    return treeList(rules).flatMap((item, index): FileFinding[] => {
      const why = concernsServer(treeMap(item), ports) ? tooWide(treeMap(item)) : undefined;
      return why === undefined
        ? []
        : [
            {
              issue: 'no-network-policy',
              about: `NetworkPolicy ${policy.name}: ${index}`,
              at: (Array.isArray(rules) ? placeOf(rules, index) : undefined) ?? policy.at,
              detail: `NetworkPolicy ${policy.name} lets connections in ${why}`,
              remedy: 'Name the pods (podSelector) and namespaces that may connect',
            },
          ];
    });
  });
}

/** Ways from outside to the servers and their web interfaces, and policies that are missing or too wide. */
export function exposureFindings(
  objects: readonly KubeObject[],
  workloads: readonly ServerWorkload[],
  tools: readonly ServerWorkload[],
): FileFinding[] {
  const services = objects.filter((one) => one.kind === 'Service' && leadsToServer(one, [...workloads, ...tools]));
  return [
    ...exposedServices(services),
    ...exposedRoutes(objects, services),
    ...workloads.flatMap((workload) => policyFindings(workload, objects)),
  ];
}
