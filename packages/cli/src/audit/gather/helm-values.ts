import { observed } from '../facts/fact.js';
import type { Directive } from '../facts/facts.js';
import type { FileFinding, Location } from '../facts/project-facts.js';
import { isReference, referenceTo } from '../facts/reference.js';
import { isSecretName } from './client-urls.js';
import { serverStart } from './command-line.js';
import { parseDirectives } from './config-file.js';
import { emptyReading, type Reading } from './reading.js';
import { serverImageOf } from './server-image.js';
import { isTreeMap, isTrue, placeOf, type Tree, type TreeMap, treeMap, treeText, treeTexts } from './yaml-tree.js';

/** The chart that values are for. */
export interface Chart {
  readonly name: string;
  readonly dependencies: readonly { readonly name: string; readonly alias: string }[];
}

const serverChart =
  /^(redis|valkey|redis-cluster|valkey-cluster|redis-ha|dragonfly|redis-sentinel|keydb|redis-replication|redis-standalone)$/;

interface Values {
  readonly map: TreeMap;
  readonly at: Location;
  readonly chart: string;
  /** Where the chart's values are within the file, for messages: `redis.`. */
  readonly prefix: string;
}

const valueAt = (map: TreeMap, path: string): Tree | undefined =>
  path.split('.').reduce<Tree | undefined>((value, key) => treeMap(value)[key], map);

function placeAt({ map, at }: Values, path: string): Location {
  let found = at;
  let inner: TreeMap = map;
  for (const key of path.split('.')) {
    found = placeOf(inner, key) ?? found;
    inner = treeMap(inner[key]);
  }
  return found;
}

/** Values look like those of a chart for one of the engines, whatever their file is called. */
function isServerValues(map: TreeMap): boolean {
  const repository = treeText(valueAt(map, 'image.repository'));
  if (repository !== undefined && serverImageOf(repository) !== undefined) return true;
  return (
    (map['architecture'] !== undefined && (map['master'] !== undefined || map['auth'] !== undefined)) ||
    (isTreeMap(map['sentinel']) && isTreeMap(map['master']))
  );
}

/** The parts of a values file that configure a server: the whole file, or a dependency's part. */
function serverValues(file: string, tree: Tree, chart: Chart | undefined): Values[] {
  const map = treeMap(tree);
  const top = { file, line: 1 };
  if (chart && serverChart.test(chart.name)) return [{ map, at: top, chart: chart.name, prefix: '' }];
  const found: Values[] = [];
  for (const [key, value] of Object.entries(map)) {
    const dependency = chart?.dependencies.find(({ alias }) => alias === key)?.name ?? key;
    if (isTreeMap(value) && serverChart.test(dependency) && !(value['enabled'] === false))
      found.push({ map: value, at: placeOf(map, key) ?? top, chart: dependency, prefix: `${key}.` });
  }
  return found.length === 0 && chart === undefined && isServerValues(map)
    ? [{ map, at: top, chart: 'redis', prefix: '' }]
    : found;
}

/** Text of settings in the words of redis.conf, or a map of them. */
function settingsAt(values: Values, path: string): Directive[] {
  const value = valueAt(values.map, path);
  const place = placeAt(values, path);
  if (isTreeMap(value))
    return Object.entries(value).map(([name, text]) => ({
      name: name.toLowerCase(),
      args: [treeText(text) ?? ''],
      file: place.file,
      line: placeOf(value, name)?.line ?? place.line,
    }));
  const text = treeText(value);
  return text === undefined || isReference(text)
    ? []
    : parseDirectives(text, place.file).map((one) => ({
        ...one,
        line: place.line + (text.includes('\n') ? one.line : 0),
      }));
}

/** Passwords are on where the chart's own default says so, and the values do not turn them off. */
function passwordOf(values: Values): { on: boolean; at: Location } {
  const { map, chart } = values;
  for (const path of ['auth.enabled', 'usePassword', 'usePasswordFile'])
    if (valueAt(map, path) !== undefined && !isTrue(valueAt(map, path)))
      return { on: false, at: placeAt(values, path) };
  // The charts of the OT Container Kit's operator: a password only where a Secret is named.
  const kit = Object.keys(map).find(
    (key) => /^redis(Standalone|Cluster|Replication|Sentinel)$/.test(key) && isTreeMap(map[key]),
  );
  if (kit !== undefined) {
    const on =
      ['redisSecret.secretName', 'redisSecret.name'].some((path) => valueAt(treeMap(map[kit]), path)) ||
      Boolean(valueAt(map, 'acl.secret.secretName'));
    return { on, at: placeAt(values, `${kit}.redisSecret`) };
  }
  if (chart === 'redis-ha') return { on: isTrue(map['auth']), at: placeAt(values, 'auth') };
  if (chart === 'dragonfly')
    return { on: isTrue(valueAt(map, 'passwordFromSecret.enable')), at: placeAt(values, 'passwordFromSecret') };
  // Bitnami's charts make a random password unless `auth.enabled` is false; `acl` of others counts as one.
  return { on: true, at: values.at };
}

const parts = ['master', 'primary', 'replica', 'sentinel', 'proxy', 'redisStandalone', 'metrics', ''] as const;

function serviceFindings(values: Values): FileFinding[] {
  return parts.flatMap((part): FileFinding[] => {
    const path =
      part === '' ? 'service.type' : part === 'redisStandalone' ? `${part}.serviceType` : `${part}.service.type`;
    const type = treeText(valueAt(values.map, path)) ?? '';
    if (!/^(LoadBalancer|NodePort)$/.test(type)) return [];
    return [
      {
        issue: 'outside-access',
        about: `${values.prefix}${path}`,
        at: placeAt(values, path),
        detail: `${values.prefix}${path} is ${type}: the server is reached from outside of the cluster`,
        remedy: 'ClusterIP; clients outside of the cluster come through a VPN',
      },
    ];
  });
}

function policyFindings(values: Values): FileFinding[] {
  const { map } = values;
  const off =
    map['networkPolicy'] !== undefined &&
    !isTrue(valueAt(map, 'networkPolicy.enabled')) &&
    valueAt(map, 'networkPolicy.enabled') !== undefined;
  const wide = isTrue(valueAt(map, 'networkPolicy.allowExternal')) && !off;
  if (!off && !wide) return [];
  const path = off ? 'networkPolicy.enabled' : 'networkPolicy.allowExternal';
  return [
    {
      issue: 'no-network-policy',
      about: `${values.prefix}${path}`,
      at: placeAt(values, path),
      detail: off
        ? `${values.prefix}networkPolicy is off: every pod of the cluster reaches the server`
        : `${values.prefix}networkPolicy lets every pod of the cluster in (allowExternal)`,
      remedy:
        'networkPolicy.enabled: true, allowExternal: false, and ingressNSMatchLabels or extraIngress for those that may connect',
    },
  ];
}

function contextFindings(values: Values): FileFinding[] {
  const found: FileFinding[] = [];
  for (const part of parts)
    for (const name of ['containerSecurityContext', 'podSecurityContext', 'securityContext']) {
      const path = part === '' ? name : `${part}.${name}`;
      const context = treeMap(valueAt(values.map, path));
      const add = (key: string, detail: string): void => {
        found.push({
          issue: 'root-user',
          about: `${values.prefix}${path}.${key}`,
          at: placeAt(values, `${path}.${key}`),
          detail: `${values.prefix}${path}: ${detail}`,
          remedy: 'Leave the chart its own context: a user that is not root, no privileges',
        });
      };
      if (context['privileged'] === true) add('privileged', 'the container is privileged');
      if (context['runAsUser'] === 0) add('runAsUser', 'it runs as root');
      if (context['runAsNonRoot'] === false && context['runAsUser'] === undefined)
        add('runAsNonRoot', 'it may run as root');
      if (context['enabled'] === false) add('enabled', 'the container has no security context');
      if (context['allowPrivilegeEscalation'] === true)
        add('allowPrivilegeEscalation', 'processes may gain privileges');
    }
  return found;
}

/** Values whose names say that they are secrets, wherever they stand in the chart's part. */
function* secretsIn(map: TreeMap, prefix: string): Generator<{ path: string; at: Location | undefined }> {
  for (const [key, value] of Object.entries(map)) {
    const path = `${prefix}${key}`;
    if (isTreeMap(value)) yield* secretsIn(value, `${path}.`);
    else {
      const text = treeText(value) ?? '';
      const isSecret = isSecretName(key) || /^(redisPassword|password|rootPassword)$/.test(key);
      if (isSecret && typeof value === 'string' && text !== '' && !isReference(text))
        yield { path, at: placeOf(map, key) };
    }
  }
}

/** What the values of a chart of Redis, Valkey or Dragonfly ask for. */
export function readHelmValues(file: string, tree: Tree, chart: Chart | undefined): Reading {
  const reading = emptyReading();
  for (const values of serverValues(file, tree, chart)) {
    const { map, prefix, at } = values;
    const engine = /valkey/.test(values.chart) ? 'valkey' : values.chart === 'dragonfly' ? 'dragonfly' : 'redis';
    const password = passwordOf(values);
    const tls = isTrue(valueAt(map, 'tls.enabled')) || valueAt(map, 'tls.secretName') !== undefined;
    const given = (name: string, value: string, place: Location): Directive => ({
      name,
      args: [value],
      file: place.file,
      line: place.line,
    });
    const written = [
      'commonConfiguration',
      'configuration',
      'master.configuration',
      'primary.configuration',
      'redis.config',
      'valkeyConfig',
      'redis.configmap',
    ].flatMap((path) => settingsAt(values, path));
    const flags = ['extraFlags', 'master.extraFlags', 'primary.extraFlags'].flatMap((path) => {
      const place = placeAt(values, path);
      const words = treeTexts(valueAt(map, path)).map((text) => ({ text, at: place }));
      const options = serverStart([{ text: 'redis-server', at: place }, ...words])?.options ?? [];
      return options.map((option) => ({ name: option.name, args: option.args, file: place.file, line: place.line }));
    });
    reading.servers.push({
      subject: `${file}: ${prefix === '' ? values.chart : prefix.slice(0, -1)}`,
      engine,
      at: password.on ? at : password.at,
      container: { hostNetwork: false },
      directives: [
        ...(password.on ? [given('requirepass', referenceTo('SECRET'), at)] : []),
        ...(tls
          ? engine === 'dragonfly'
            ? [given('tls', 'true', placeAt(values, 'tls'))]
            : [given('tls-port', '6379', placeAt(values, 'tls')), given('port', '0', placeAt(values, 'tls'))]
          : []),
        ...(tls && valueAt(map, 'tls.authClients') === false
          ? [given('tls-auth-clients', 'no', placeAt(values, 'tls.authClients'))]
          : []),
        ...flags,
        ...written,
      ],
      acl: observed(null, file),
      managedBy: 'the chart',
    });
    reading.findings.push(...serviceFindings(values), ...policyFindings(values), ...contextFindings(values));
    for (const secret of secretsIn(map, prefix))
      reading.findings.push({
        issue: 'secret-in-clear',
        about: secret.path,
        at: secret.at ?? at,
        detail: `${secret.path} is written out in values`,
        remedy: 'existingSecret: a Secret that is made outside of the repository',
      });
    for (const args of ['extraFlags', 'master.extraFlags', 'primary.extraFlags', 'extraArgs'])
      if (treeTexts(valueAt(map, args)).some((text) => /requirepass/.test(text)))
        reading.findings.push({
          issue: 'secret-in-clear',
          about: `${prefix}${args}`,
          at: placeAt(values, args),
          detail: `${prefix}${args} carries a password`,
          remedy: 'existingSecret',
        });
  }
  return reading;
}
