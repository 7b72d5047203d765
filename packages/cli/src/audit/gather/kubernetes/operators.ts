import { observed } from '../../facts/fact.js';
import type { Directive } from '../../facts/facts.js';
import type { FileFinding, Location } from '../../facts/project-facts.js';
import { referenceTo } from '../../facts/reference.js';
import { serverStart } from '../command-line.js';
import { parseDirectives } from '../config-file.js';
import type { DescribedServer } from '../file-node.js';
import { emptyReading, type Reading } from '../reading.js';
import { isTrue, placeOf, type Tree, type TreeMap, treeList, treeMap, treeText, treeTexts } from '../yaml-tree.js';
import type { KubeObject } from './objects.js';

/** What an operator's resource says of its servers, in the words of the server. */
interface OperatorModel {
  readonly engine: DescribedServer['engine'];
  /** The field that gives a password; undefined where none is set. */
  readonly password?: string;
  /** Passwords are on unless said otherwise. */
  readonly hasPassword: boolean;
  readonly hasTls: boolean;
  readonly serviceTypes: readonly (string | undefined)[];
  readonly directives?: readonly Directive[];
}

function at(tree: TreeMap, path: string): Tree | undefined {
  let value: Tree | undefined = tree;
  for (const key of path.split('.')) value = treeMap(value)[key];
  return value;
}

/** The place of the deepest part of a path that is written. */
function placeAt(spec: TreeMap, path: string, fallback: Location): Location {
  let map: TreeMap = spec;
  let found = fallback;
  for (const key of path.split('.')) {
    found = placeOf(map, key) ?? found;
    map = treeMap(map[key]);
  }
  return found;
}

const has = (spec: TreeMap, ...paths: string[]): boolean =>
  paths.some((path) => {
    const value = at(spec, path);
    return value !== undefined && value !== null && value !== false && value !== '';
  });

/** `customConfig` lists of "name value", or one text. */
function linesOf(spec: TreeMap, path: string, fallback: Location): Directive[] {
  const value = at(spec, path);
  const place = placeAt(spec, path, fallback);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return Object.entries(treeMap(value)).map(([name, text]) => ({
      name: name.toLowerCase(),
      args: [treeText(text) ?? ''],
      file: place.file,
      line: placeOf(treeMap(value), name)?.line ?? place.line,
    }));
  return treeTexts(value).flatMap((text, index) =>
    parseDirectives(text, place.file).map((one) => ({
      ...one,
      line: (Array.isArray(value) ? placeOf(value, index)?.line : undefined) ?? place.line + one.line,
    })),
  );
}

type Reader = (spec: TreeMap, object: KubeObject) => OperatorModel;

const services = (spec: TreeMap, ...paths: string[]): (string | undefined)[] =>
  paths.map((path) => {
    const value = treeText(at(spec, path));
    return value !== undefined && /^(LoadBalancer|NodePort)$/.test(value) ? path : undefined;
  });

const operators: readonly [RegExp, RegExp, Reader][] = [
  [
    /^databases\.spotahome\.com$/,
    /^RedisFailover$/,
    (spec, object) => ({
      engine: 'redis',
      hasPassword: has(spec, 'auth.secretPath'),
      // The operator has no TLS of its own.
      hasTls: false,
      serviceTypes: [],
      directives: linesOf(spec, 'redis.customConfig', object.at),
    }),
  ],
  [
    /opstreelabs\.in$/,
    /^Redis(Cluster|Replication|Sentinel)?$/,
    (spec) => ({
      engine: 'redis',
      hasPassword: has(spec, 'kubernetesConfig.redisSecret', 'acl.secret', 'acl.persistentVolumeClaim'),
      hasTls: has(spec, 'TLS'),
      serviceTypes: services(
        spec,
        'kubernetesConfig.service.serviceType',
        'serviceType',
        'kubernetesConfig.serviceType',
      ),
    }),
  ],
  [
    /^dragonflydb\.io$/,
    /^Dragonfly$/,
    (spec, object) => {
      const args = treeTexts(spec['args']).map((text) => ({ text, at: placeOf(spec, 'args') ?? object.at }));
      const options = serverStart([{ text: 'dragonfly', at: object.at }, ...args])?.options ?? [];
      return {
        engine: 'dragonfly',
        hasPassword: has(spec, 'authentication.passwordFromSecret', 'authentication.clientCaCertSecret'),
        hasTls: has(spec, 'tlsSecretRef'),
        serviceTypes: services(spec, 'serviceSpec.type'),
        directives: options.map(({ name, args: words, at: place }) => ({
          name,
          args: [...words],
          file: place.file,
          line: place.line,
        })),
      };
    },
  ],
  [
    /^kubedb\.com$/,
    /^(Redis|RedisSentinel|Valkey)$/,
    (spec, { kind }) => ({
      engine: kind === 'Valkey' ? 'valkey' : 'redis',
      hasPassword: !isTrue(spec['disableAuth']),
      hasTls: has(spec, 'tls'),
      serviceTypes: treeList(spec['serviceTemplates']).map((item) =>
        /^(LoadBalancer|NodePort)$/.test(treeText(at(treeMap(item), 'spec.type')) ?? '')
          ? 'serviceTemplates'
          : undefined,
      ),
    }),
  ],
  [
    /^hyperspike\.io$/,
    /^Valkey$/,
    (spec) => ({
      engine: 'valkey',
      hasPassword: !isTrue(spec['anonymousAuth']),
      hasTls: isTrue(spec['tls']),
      serviceTypes: has(spec, 'externalAccess.enabled') ? ['externalAccess'] : [],
    }),
  ],
  [
    /^cache\.cs\.sap\.com$/,
    /^(Redis|Valkey)$/,
    (spec, { kind }) => ({
      engine: kind === 'Valkey' ? 'valkey' : 'redis',
      hasPassword: true,
      hasTls: has(spec, 'tls.enabled'),
      serviceTypes: [],
    }),
  ],
  [
    /^app\.redislabs\.com$/,
    /^RedisEnterpriseDatabase$/,
    (spec) => ({
      engine: 'redis',
      hasPassword: spec['defaultUser'] !== true || has(spec, 'databaseSecretName'),
      hasTls: /^(enabled|true)$/.test(treeText(spec['tlsMode'] ?? spec['enableTLS']) ?? ''),
      serviceTypes: [],
    }),
  ],
];

/** Kinds of operators that are known by name only: what they mean is not judged. */
const unknownOperator =
  /^(RedisEnterpriseCluster|DistributedRedisCluster|RedisClusterProxy|KeyDB|RedisInstance|Redis\w*|Valkey\w*|Dragonfly\w*)$/;

const place = (spec: TreeMap, path: string | undefined, object: KubeObject): Location =>
  path === undefined ? object.at : placeAt(spec, path, object.at);

/** Servers that an operator makes of a resource. */
export function readOperatorResource(object: KubeObject): Reading {
  const reading = emptyReading();
  const found = operators.find(([group, kind]) => group.test(object.group) && kind.test(object.kind));
  if (!found) {
    if (object.group.includes('.') && unknownOperator.test(object.kind))
      reading.remarks.push(
        `${object.at.file}:${object.at.line}: ${object.kind} ${object.name} (${object.group}) belongs to an operator that the audit does not know`,
      );
    return reading;
  }
  const { spec } = object;
  const model = found[2](spec, object);
  const own = [...(model.directives ?? [])];
  const given = (name: string, value: string): Directive => ({
    name,
    args: [value],
    file: object.at.file,
    line: object.at.line,
  });
  if (model.hasPassword) own.push(given('requirepass', referenceTo('SECRET')));
  if (model.hasTls)
    own.push(
      ...(model.engine === 'dragonfly' ? [given('tls', 'true')] : [given('tls-port', '6379'), given('port', '0')]),
    );
  reading.servers.push({
    subject: `${object.at.file}: ${object.kind} ${object.name}`,
    engine: model.engine,
    at: object.at,
    container: { hostNetwork: false },
    directives: own,
    acl: observed(null, object.at.file),
    managedBy: 'the operator',
  });
  reading.findings.push(
    ...model.serviceTypes.flatMap((path): FileFinding[] =>
      path === undefined
        ? []
        : [
            {
              issue: 'outside-access',
              about: `${object.kind} ${object.name}: ${path}`,
              at: place(spec, path, object),
              detail: `${object.kind} ${object.name} asks for a Service that is reached from outside of the cluster (${path})`,
              remedy: 'A Service of type ClusterIP',
            },
          ],
    ),
  );
  return reading;
}
