import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { loadComposeProject } from '../gather/compose/compose-project.js';
import { parsePorts, portText } from '../gather/compose/ports.js';
import { treeList, treeMap, treeText, treeTexts } from '../gather/yaml-tree.js';
import { withFolder } from './project-folder.js';
import { type Random, randomOf } from './random.js';

/** One layer of a service in its meaning: what a file adds to it. */
interface Layer {
  environment: Record<string, string>;
  ports: string[];
  volumes: Record<string, string>;
  capDrop: string[];
  privileged?: boolean;
  user?: string;
  command?: string[];
  limits: Record<string, string>;
}

const oldPorts = ['127.0.0.1:7000:6379', '7001:6379', '7002-7003:6379-6380', '7005:6379/udp', '10.0.0.1:7006:6380'];

function layerOf(random: Random, isOld: boolean): Layer {
  const some = <T>(of: readonly T[], p: number): T[] => of.filter(() => random.chance(p));
  return {
    environment: Object.fromEntries(
      some(['A', 'B', 'C', 'D'], 0.4).map((name) => [name, random.pick(['1', 'two', 'x y', 'a=b', ''])]),
    ),
    // The old docker-compose does not take IPv6 addresses.
    ports: some(
      isOld
        ? oldPorts
        : [
            '127.0.0.1:7000:6379',
            '7001:6379',
            '7002-7003:6379-6380',
            '[::1]:7004:6379',
            '7005:6379/udp',
            '10.0.0.1:7006:6380',
          ],
      0.25,
    ),
    volumes: Object.fromEntries(
      some(['/data', '/etc/redis', '/x'], 0.4).map((target) => [target, random.pick(['/a', '/b', 'named'])]),
    ),
    capDrop: some(['ALL', 'NET_RAW', 'CHOWN'], 0.3),
    ...(random.chance(0.3) && { privileged: random.chance(0.5) }),
    ...(random.chance(0.3) && { user: random.pick(['999:999', 'root', '1000']) }),
    ...(random.chance(0.4) && { command: some(['redis-server', '--bind', '0.0.0.0', '--requirepass', 'p w'], 0.7) }),
    limits: Object.fromEntries(some(['memory', 'cpus'], 0.4).map((name) => [name, random.pick(['64', '128'])])),
  };
}

/** The meaning of layers on top of each other, written from the specification without looking at the code under test. */
function merged(layers: readonly Layer[]): Layer {
  const whole: Layer = { environment: {}, ports: [], volumes: {}, capDrop: [], limits: {} };
  for (const layer of layers) {
    Object.assign(whole.environment, layer.environment);
    Object.assign(whole.volumes, layer.volumes);
    Object.assign(whole.limits, layer.limits);
    for (const port of layer.ports) if (!whole.ports.includes(port)) whole.ports.push(port);
    for (const one of layer.capDrop) if (!whole.capDrop.includes(one)) whole.capDrop.push(one);
    if (layer.privileged !== undefined) whole.privileged = layer.privileged;
    if (layer.user !== undefined) whole.user = layer.user;
    if (layer.command !== undefined && layer.command.length > 0) whole.command = layer.command;
  }
  return whole;
}

/** A text that interpolation turns into the one given. */
function disguised(text: string, random: Random, env: Map<string, string>, isOld: boolean): string {
  const name = `V${env.size}`;
  const plain = text.replaceAll('$', '$$$$');
  switch (random.below(isOld ? 4 : 6)) {
    case 0:
      if (text === '') return plain;
      env.set(name, text);
      return random.chance(0.5) ? `\${${name}}` : `\${${name}:-other}`;
    case 1:
      return `\${UNSET_${name}:-${plain}}`;
    case 2:
      if (text === '') return plain;
      env.set(name, text);
      return `\${${name}:?must be set}`;
    case 3:
      return `\${UNSET_${name}-${plain}}`;
    case 4:
      env.set(name, 'set');
      return `\${${name}:+${plain}}`;
    default:
      return `\${UNSET_${name}:-\${ALSO_${name}:-${plain}}}`;
  }
}

/** One layer in a random form of the syntax. */
function written(layer: Layer, random: Random, env: Map<string, string>, isOld: boolean): Record<string, unknown> {
  const service: Record<string, unknown> = {};
  const text = (value: string): string =>
    random.chance(0.4) ? disguised(value, random, env, isOld) : value.replaceAll('$', '$$$$');
  if (Object.keys(layer.environment).length > 0)
    service['environment'] = random.chance(0.5)
      ? Object.entries(layer.environment).map(([name, value]) => `${name}=${text(value)}`)
      : Object.fromEntries(Object.entries(layer.environment).map(([name, value]) => [name, text(value)]));
  if (layer.ports.length > 0)
    service['ports'] = layer.ports.map((port) => {
      const [, address, published, target] = /^(?:(\d[\d.]+|\[::1\]):)?(\d+):(\d+)$/.exec(port) ?? [];
      if (target === undefined || random.chance(0.6) || isOld) return port;
      return { target: Number(target), published, ...(address && { host_ip: address.replace(/[[\]]/g, '') }) };
    });
  if (Object.keys(layer.volumes).length > 0)
    service['volumes'] = Object.entries(layer.volumes).map(([target, source]) =>
      random.chance(0.5) ? `${source}:${target}` : { type: source === 'named' ? 'volume' : 'bind', source, target },
    );
  if (layer.capDrop.length > 0) service['cap_drop'] = layer.capDrop;
  if (layer.privileged !== undefined) service['privileged'] = layer.privileged;
  if (layer.user !== undefined) service['user'] = text(layer.user);
  if (layer.command && layer.command.length > 0)
    service['command'] = random.chance(0.5)
      ? layer.command
      : layer.command.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(' ');
  if (Object.keys(layer.limits).length > 0) service['deploy'] = { resources: { limits: layer.limits } };
  return service;
}

interface Sample {
  files: Record<string, string>;
  order: string[];
  truth: Layer;
}

/** A project whose service is spread over bases, files and env files. `isOld`: only what docker-compose 1.29 reads. */
function sampleOf(seed: number, isOld = false): Sample {
  const random = randomOf(seed * 7919 + 13);
  const env = new Map<string, string>();
  const files: Record<string, unknown> = {};
  const layers: Layer[] = [];
  const version = isOld ? { version: '3.8', volumes: { named: {} } } : {};
  const add = (): Record<string, unknown> => {
    const layer = layerOf(random, isOld);
    layers.push(layer);
    return written(layer, random, env, isOld);
  };
  const services: Record<string, unknown> = {};
  // The lowest layer first: another file's service, then one of this file, then the service, then overrides.
  let below: unknown;
  if (random.chance(0.5)) {
    files['base/other.yaml'] = { ...version, services: { far: { image: 'redis', ...add() } } };
    below = { file: 'base/other.yaml', service: 'far' };
  }
  if (random.chance(0.5)) {
    services['near'] = { ...(below !== undefined && { extends: below }), image: 'redis', ...add() };
    below = isOld || random.chance(0.5) ? { service: 'near' } : 'near';
  }
  const envFile: Record<string, string> = {};
  const own: Record<string, unknown> = { image: 'redis', ...(below !== undefined && { extends: below }), ...add() };
  if (random.chance(0.4)) {
    for (const name of ['A', 'E']) if (random.chance(0.6)) envFile[name] = random.pick(['from file', '5', 'a#b']);
    files['web.env'] = Object.entries(envFile)
      .map(([name, value]) =>
        isOld
          ? `${name}=${value}`
          : random.pick([`${name}="${value}"`, `export ${name}='${value}'`, `${name}=${value} # comment`]),
      )
      .join('\n');
    own['env_file'] = random.chance(0.5) ? 'web.env' : ['web.env'];
  }
  services['cache'] = own;
  files['compose.yaml'] = { ...version, services };
  const order = ['compose.yaml'];
  for (let index = 0; index < random.below(3); index++) {
    const name = `override-${index}.yaml`;
    files[name] = { ...version, services: { cache: add() } };
    order.push(name);
  }
  files['.env'] = [...env].map(([name, value]) => `${name}=${/[ #]/.test(value) ? `"${value}"` : value}`).join('\n');
  const truth = merged(layers);
  truth.environment = { ...envFile, ...truth.environment };
  return {
    files: Object.fromEntries(
      Object.entries(files).map(([name, value]) => [name, typeof value === 'string' ? value : stringify(value)]),
    ),
    order,
    truth,
  };
}

const portTexts = (entries: readonly unknown[]): string[] =>
  entries.flatMap((entry) => parsePorts(entry as never).map(portText)).sort();

/** What was read, in the terms of the model. */
async function read(folder: string, order: readonly string[]): Promise<Record<string, unknown>> {
  const project = await loadComposeProject(order.map((name) => join(folder, name)));
  assert.deepEqual(project.problems, []);
  const service = treeMap(project.services['cache']);
  const environment = treeMap(service['environment']);
  const limits = treeMap(treeMap(treeMap(service['deploy'])['resources'])['limits']);
  const command = service['command'];
  return {
    environment: Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, treeText(value)])),
    ports: portTexts(treeList(service['ports'])),
    volumes: Object.fromEntries(
      treeList(service['volumes']).map((volume) => {
        const map = treeMap(volume);
        const [source = '', target = ''] = (treeText(volume) ?? '').split(':');
        return [treeText(map['target']) ?? target, treeText(map['source']) ?? source];
      }),
    ),
    capDrop: treeTexts(service['cap_drop']).sort(),
    privileged: service['privileged'],
    user: treeText(service['user']),
    command: Array.isArray(command)
      ? command
      : treeText(command)
          ?.match(/"[^"]*"|\S+/g)
          ?.map((word) => word.replaceAll('"', '')),
    limits: Object.fromEntries(Object.entries(limits).map(([name, value]) => [name, treeText(value)])),
  };
}

function expected(truth: Layer): Record<string, unknown> {
  return {
    environment: truth.environment,
    ports: portTexts(truth.ports),
    volumes: truth.volumes,
    capDrop: [...truth.capDrop].sort(),
    privileged: truth.privileged,
    user: truth.user,
    command: truth.command,
    limits: truth.limits,
  };
}

const count = Number(process.env['REDKEEP_ORACLE'] ?? 300);

describe('Compose files, merged', () => {
  test(`${count} random projects mean what the specification says`, async () => {
    for (let seed = 0; seed < count; seed++) {
      const { files, order, truth } = sampleOf(seed);
      const found = await withFolder(files, (folder) => read(folder, order));
      assert.deepEqual(found, expected(truth), `seed ${seed}:\n${JSON.stringify(files, null, 1)}`);
    }
  });

  const isThere = ((): boolean => {
    try {
      execFileSync('docker-compose', ['version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  })();

  // docker-compose is not part of the toolchain: where it is installed and REDKEEP_ORACLE gives a count, it is compared too.
  if (isThere && process.env['REDKEEP_ORACLE'] !== undefined)
    test(`docker-compose merges ${Math.min(count, 200)} of them in the same way`, async () => {
      for (let seed = 0; seed < Math.min(count, 200); seed++) {
        const { files, order } = sampleOf(seed, true);
        await withFolder(files, async (folder) => {
          const found = await read(folder, order);
          const text = execFileSync('docker-compose', [...order.flatMap((name) => ['-f', name]), 'config'], {
            cwd: folder,
            stdio: ['ignore', 'pipe', 'pipe'],
          });
          await writeFile(join(folder, 'merged.yaml'), text);
          await writeFile(join(folder, '.env'), '');
          const truth = await read(folder, ['merged.yaml']);
          // It prints an absolute path with its mode, and what it made of a command.
          assert.deepEqual(
            {
              environment: found['environment'],
              ports: found['ports'],
              capDrop: found['capDrop'],
              privileged: found['privileged'],
              user: found['user'],
              command: found['command'],
              volumes: found['volumes'],
            },
            {
              environment: truth['environment'],
              ports: truth['ports'],
              capDrop: truth['capDrop'],
              privileged: truth['privileged'],
              user: truth['user'],
              command: truth['command'],
              volumes: truth['volumes'],
            },
            `seed ${seed}:\n${JSON.stringify(files, null, 1)}\n${text}`,
          );
        });
      }
    });
});
