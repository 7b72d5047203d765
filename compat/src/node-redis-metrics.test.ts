/** The metrics of node-redis itself and of Redkeep, from the same application on the same servers. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, startCluster, startServer } from '@redkeep/testing';
import type { Exported, Scenario } from './testing/otel-scenario.js';

const script = new URL('./testing/otel-scenario.js', import.meta.url).pathname;

/** Where node-redis has no address any more, because it asks the socket that is gone. */
const ADDRESS_LACKS = new Set(['redis.client.connection.closed', 'redis.client.errors', 'redis.client.csc.items']);
/** Counted the same way; the others depend on how connections are shared and how often a node is asked. */
const SAME_SUM = [
  'redis.client.connection.count',
  'db.client.connection.create_time',
  'redis.client.connection.closed',
  'redis.client.errors',
  'redis.client.pubsub.messages',
  'redis.client.stream.lag',
  'redis.client.csc.evictions',
];
/** Values that differ: names of libraries and clients, and classes of errors, of which Redkeep has more. */
const OTHER_VALUES = new Set([
  'redis.client.library',
  'db.client.connection.pool.name',
  'redis.client.parent.id',
  'error.type',
  'server.address',
  'server.port',
]);

async function exportedBy(library: string, scenario: Scenario): Promise<Record<string, Exported>> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, library, JSON.stringify(scenario)]);
  assert.ok(!stdout.includes('c4nary'));
  return JSON.parse(stdout) as Record<string, Exported>;
}

function described(name: string, { unit, description, type, buckets, points }: Exported): unknown {
  const ADDRESS = ['server.address', 'server.port'];
  const shown = (key: string) => !(ADDRESS_LACKS.has(name) && ADDRESS.includes(key));
  const shapes = points.map(({ attributes }) => Object.keys(attributes).filter(shown).sort().join(' '));
  return { name, unit, description, type, buckets, attributes: [...new Set(shapes)].sort() };
}

/** `attribute=value`, once each. */
function valuesOf({ points }: Exported): string[] {
  const all = points.flatMap(({ attributes }) =>
    Object.entries(attributes).flatMap(([key, value]) => (OTHER_VALUES.has(key) ? [] : [`${key}=${String(value)}`])),
  );
  return [...new Set(all)].sort();
}
const sumOf = ({ points }: Exported) => points.reduce((sum, { value }) => sum + value, 0);

test('names, units, types, buckets, attributes and counts are those of node-redis', async () => {
  await using server = await startServer();
  await using secured = await startServer({ tls: true });
  await using cluster = await startCluster({ masters: 1 });
  const scenario: Scenario = {
    port: server.port,
    cluster: cluster.masters[0]!.port,
    tls: { port: secured.tlsPort, ca: await readFile(secured.tlsFiles!.ca, 'utf8') },
    closedPort: await freePort(),
  };
  const theirs = await exportedBy('redis', scenario);
  await server.command('FLUSHALL');
  const all = await exportedBy('redkeep', scenario);
  const ours = Object.fromEntries(Object.entries(all).filter(([name]) => !name.startsWith('redkeep redkeep.client.')));

  const names = Object.keys(theirs).map((name) => name.split(' ')[1]!);
  assert.ok(names.length >= 11, names.join(' '));
  const shown = (metrics: Record<string, Exported>) =>
    Object.entries(metrics).map(([name, metric]) => described(name.split(' ')[1]!, metric));
  assert.deepEqual(shown(ours), shown(theirs));
  for (const [name, metric] of Object.entries(theirs)) {
    // What node-redis asks the cluster itself counts as a command of the application there.
    const expected = valuesOf(metric).filter((value) => value !== 'db.operation.name=CLUSTER');
    assert.deepEqual(valuesOf(ours[name]!), expected, name);
    if (SAME_SUM.includes(name.split(' ')[1]!)) assert.equal(sumOf(ours[name]!), sumOf(metric), name);
  }
  // In addition: the health of TLS connections.
  for (const name of ['tls.sessions', 'tls.certificate.time_left', 'connection.errors'])
    assert.ok(all[`redkeep redkeep.client.${name}`] !== undefined, name);
});
