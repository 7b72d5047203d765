import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Responder, type ScriptedServer, sharedPki, startScriptedServer, waitFor } from '@redkeep/testing';
import { createCluster, MaxCommandRedirectionsError, RedirectRefusedError, type RedisCluster } from '../index.js';
import type { ClusterOptions } from './cluster-options.js';
import { slotOf } from './slot.js';

type Range = readonly [first: number, last: number, host: string | null, port: number, ...replicas: number[]];

const bulk = (text: string | null) => (text === null ? '$-1\r\n' : `$${text.length}\r\n${text}\r\n`);
const node = (host: string | null, port: number) => `*3\r\n${bulk(host)}:${port}\r\n${bulk(`id-${port}`)}`;
const slotsReply = (ranges: readonly Range[]) =>
  `*${ranges.length}\r\n${ranges
    .map(([first, last, host, port, ...replicas]) => {
      const nodes = [node(host, port), ...replicas.map((replica) => node(host, replica))];
      return `*${2 + nodes.length}\r\n:${first}\r\n:${last}\r\n${nodes.join('')}`;
    })
    .join('')}`;

/** A peer that serves what `layout` says; other commands get `answer`, by default its own port. */
function peer(layout: () => readonly Range[], answer?: Responder): Promise<ScriptedServer> {
  const started = startScriptedServer({
    onCommand: async (command, from) => {
      if (command[0] === 'CLUSTER') return slotsReply(layout());
      if (command[0] === 'READONLY' || command[0] === 'ASKING' || command[0] === 'PING') return '+OK\r\n';
      return answer === undefined ? bulk(String((await started).port)) : answer(command, from);
    },
  });
  return started;
}

type Context = { after(fn: () => unknown): void };
async function open(t: Context, seed: ScriptedServer, options: Partial<ClusterOptions> = {}): Promise<RedisCluster> {
  const cluster = createCluster({ rootNodes: [{ url: seed.url }], ...options });
  t.after(() => cluster.isOpen && cluster.destroy());
  return cluster.connect();
}
const all = (port: number, host: string | null = '127.0.0.1'): Range[] => [[0, 16_383, host, port]];

test('a MOVED without a host stays with the host that answered', async (t) => {
  let moved = false;
  await using other = await peer(() => all(other.port));
  await using first = await peer(() => all(moved ? other.port : first.port));
  const cluster = await open(t, first);
  moved = true;
  first.reply('GET', `-MOVED ${slotOf('k')} :${other.port}\r\n`);
  assert.equal(await cluster.get('k'), String(other.port));
});

test('CLUSTER SLOTS without hosts means the host that answered', async (t) => {
  await using first = await peer(() => all(first.port, null));
  const cluster = await open(t, first);
  assert.equal(cluster.masters[0]!.host, '127.0.0.1');
  assert.equal(await cluster.get('k'), String(first.port));
});

test('a MOVED to a foreign host is refused, and nothing is sent there', async (t) => {
  await using first = await peer(() => all(first.port));
  const cluster = await open(t, first, { defaults: { password: 'hunter2' } });
  first.reply('GET', `-MOVED ${slotOf('k')} 192.0.2.1:6379\r\n`);
  await assert.rejects(cluster.get('k'), RedirectRefusedError);
  first.reply('GET', `-ASK ${slotOf('k')} evil.example:6379\r\n`);
  await assert.rejects(cluster.get('k'), RedirectRefusedError);
  // The slot stays where it was.
  assert.equal(await cluster.get('k'), String(first.port));
});

test('a foreign host in CLUSTER SLOTS is refused too', async (t) => {
  const half = 8192;
  await using first = await peer(() => [
    [0, half - 1, '192.0.2.1', 6379],
    [half, 16_383, '127.0.0.1', first.port],
  ]);
  const cluster = await open(t, first, { minimizeConnections: true });
  const [far, near] = slotOf('a') < half ? ['a', 'b'] : ['b', 'a'];
  assert.ok(slotOf(far) < half && slotOf(near) >= half);
  await assert.rejects(cluster.get(far), RedirectRefusedError);
  assert.equal(await cluster.get(near), String(first.port));
});

test('under TLS a node must prove its address to the CA, or it gets no credentials', async (t) => {
  const pki = await sharedPki();
  const impostor = await startScriptedServer({ tls: pki.otherServer });
  t.after(() => impostor[Symbol.asyncDispose]());
  let moved = false;
  const first = await startScriptedServer({
    tls: pki.server,
    onCommand: (command) =>
      command[0] === 'CLUSTER' ? slotsReply(all(moved ? impostor.port : first.port)) : bulk('first'),
  });
  t.after(() => first[Symbol.asyncDispose]());
  const cluster = createCluster({
    rootNodes: [{ url: first.url }],
    defaults: { password: 'hunter2', tls: { ca: pki.ca } },
  });
  t.after(() => cluster.destroy());
  await cluster.connect();
  moved = true;
  first.reply('GET', `-MOVED ${slotOf('k')} 127.0.0.1:${impostor.port}\r\n`);
  await assert.rejects(cluster.get('k'), { code: 'REDKEEP_CERTIFICATE_UNTRUSTED' });
  assert.deepEqual(impostor.received, []);
});

test('ASKING goes right before its command', async (t) => {
  await using other = await peer(() => all(other.port));
  await using first = await peer(() => all(first.port));
  const cluster = await open(t, first);
  const keys = Array.from({ length: 5 }, (_, i) => `{k}${i}`);
  for (const _ of keys) first.reply('GET', `-ASK ${slotOf('k')} 127.0.0.1:${other.port}\r\n`);
  const answers = await Promise.all(keys.map((key) => cluster.get(key)));
  assert.deepEqual(
    answers,
    keys.map(() => String(other.port)),
  );
  const seen = other.received.filter(([name]) => name === 'ASKING' || name === 'GET').map(([name]) => name);
  assert.deepEqual(
    seen,
    keys.flatMap(() => ['ASKING', 'GET']),
  );
  // An ASK does not move the slot.
  assert.equal(await cluster.get('k'), String(first.port));
});

for (const refusal of [
  'TRYAGAIN Multiple keys request during rehashing of slot',
  'CLUSTERDOWN The cluster is down',
  'LOADING Redis is loading the dataset in memory',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  "READONLY You can't write against a read only replica.",
]) {
  test(`${refusal.split(' ', 1)[0]} is tried again`, async (t) => {
    await using first = await peer(() => all(first.port));
    const cluster = await open(t, first);
    first.reply('SET', `-${refusal}\r\n`).reply('SET', `-${refusal}\r\n`).reply('SET', '+OK\r\n');
    assert.equal(await cluster.set('k', 'v'), 'OK');
    assert.equal(first.received.filter(([name]) => name === 'SET').length, 3);
  });
}

test('NOREPLICAS rejects the call', async (t) => {
  await using first = await peer(() => all(first.port));
  const cluster = await open(t, first);
  first.reply('SET', '-NOREPLICAS Not enough good replicas to write.\r\n');
  await assert.rejects(cluster.set('k', 'v'), /NOREPLICAS/);
});

test('a refusal without end rejects the call', async (t) => {
  await using first = await peer(
    () => all(first.port),
    () => '-CLUSTERDOWN The cluster is down\r\n',
  );
  const cluster = await open(t, first, { maxCommandRedirections: 2 });
  await assert.rejects(cluster.set('k', 'v'), /CLUSTERDOWN/);
});

test('redirects in a circle end', async (t) => {
  await using first = await peer(
    () => all(first.port),
    () => `-MOVED ${slotOf('k')} 127.0.0.1:${first.port}\r\n`,
  );
  const cluster = await open(t, first, { maxCommandRedirections: 6 });
  await assert.rejects(cluster.get('k'), MaxCommandRedirectionsError);
  assert.equal(first.received.filter(([name]) => name === 'GET').length, 7);
});

test('an unknown host in MOVED leads to a look at the topology', async (t) => {
  let moved = false;
  await using other = await peer(() => all(other.port));
  await using first = await peer(() => all(moved ? other.port : first.port));
  const cluster = await open(t, first);
  moved = true;
  const unknown: Responder = () => `-MOVED ${slotOf('k')} ?:${other.port}\r\n`;
  for (let i = 0; i < 16; i++) first.reply('GET', unknown);
  assert.equal(await cluster.get('k'), String(other.port));
});

test('a replica that is loading hands its reads to the master', async (t) => {
  await using replica = await peer(
    () => [],
    () => '-LOADING Redis is loading the dataset in memory\r\n',
  );
  await using first = await peer(() => [[0, 16_383, '127.0.0.1', first.port, replica.port]]);
  const cluster = await open(t, first, { useReplicas: true });
  await waitFor(async () => {
    assert.equal(await cluster.get('k'), String(first.port));
    return replica.received.some(([name]) => name === 'GET');
  });
});

test('reads prefer the zone that was asked for', async (t) => {
  const zoned =
    (zone: string): Responder =>
    (command) => {
      if (command[0] !== 'INFO') return bulk(zone);
      const text = `# Server\r\navailability_zone:${zone}\r\n`;
      return bulk(text);
    };
  await using far = await peer(() => [], zoned('far'));
  await using near = await peer(() => [], zoned('near'));
  await using first = await peer(() => [[0, 16_383, '127.0.0.1', first.port, far.port, near.port]], zoned('master'));
  const cluster = await open(t, first, { useReplicas: true, availabilityZone: 'near' });
  await waitFor(async () => {
    const zones = await Promise.all(Array.from({ length: 6 }, () => cluster.get('k')));
    return zones.every((zone) => zone === 'near');
  });
});

test('a node that hangs is left when the topology says so', async (t) => {
  let gone = false;
  const halves = (): Range[] => [
    [0, 8191, '127.0.0.1', gone ? healthy.port : hung.port],
    [8192, 16_383, '127.0.0.1', healthy.port],
  ];
  await using healthy = await peer(halves);
  await using hung = await peer(halves, () => undefined);
  const cluster = await open(t, healthy, {
    defaults: { socket: { socketTimeout: 100 }, commandOptions: { timeout: 100 } },
  });
  const key = slotOf('a') < 8192 ? 'a' : 'b';
  assert.ok(slotOf(key) < 8192);
  await assert.rejects(cluster.get(key), { code: 'REDKEEP_TIMEOUT' });
  gone = true;
  // Its silence drops the connection, and that is reason to look at the topology.
  await waitFor(async () => (await cluster.get(key).catch(() => undefined)) === String(healthy.port));
});

test('when all nodes are gone the seeds are asked anew', async (t) => {
  let next: ScriptedServer | undefined;
  const seed = await peer(() => all(next === undefined ? old.port : next.port));
  t.after(() => seed[Symbol.asyncDispose]());
  const old = await peer(() => all(old.port));
  const cluster = await open(t, seed);
  assert.equal(await cluster.get('k'), String(old.port));
  next = await peer(() => all(next!.port));
  t.after(() => next?.[Symbol.asyncDispose]());
  await old[Symbol.asyncDispose]();
  assert.equal(await cluster.get('k'), String(next.port));
});

test('announced addresses can be mapped to reachable ones', async (t) => {
  await using first = await peer(() => [[0, 16_383, 'inside.internal', 7000]]);
  const cluster = await open(t, first, {
    nodeAddressMap: { 'inside.internal:7000': { host: '127.0.0.1', port: first.port } },
  });
  assert.equal(await cluster.get('k'), String(first.port));
  assert.ok(cluster.nodeByAddress.has('inside.internal:7000'));
});

test('the topology is looked at from time to time', async (t) => {
  let moved = false;
  await using other = await peer(() => all(other.port));
  await using first = await peer(() => all(moved ? other.port : first.port));
  const cluster = await open(t, first, { topologyRefreshIntervalMs: 20 });
  moved = true;
  await waitFor(() => cluster.masters[0]!.port === other.port);
});

test('a burst of errors causes few looks at the topology', async (t) => {
  await using first = await peer(() => all(first.port));
  const cluster = await open(t, first, { topologyRefreshIntervalMs: 0 });
  for (let i = 0; i < 100; i++) first.reply('GET', '-CLUSTERDOWN The cluster is down\r\n');
  await Promise.all(Array.from({ length: 100 }, () => cluster.get('k')));
  assert.ok(first.received.filter(([name]) => name === 'CLUSTER').length <= 4);
});

test('a blocking command follows its redirect', async (t) => {
  let moved = false;
  const slot = slotOf('k');
  const layout = (): Range[] => [
    [0, slot - 1, '127.0.0.1', first.port],
    [slot, slot, '127.0.0.1', moved ? other.port : first.port],
    [slot + 1, 16_383, '127.0.0.1', other.port],
  ];
  await using other = await peer(layout);
  await using first = await peer(layout);
  const cluster = await open(t, first);
  first.reply('BLPOP', `-ASK ${slot} 127.0.0.1:${other.port}\r\n`);
  assert.equal(await cluster.sendCommand(['BLPOP', 'k', '0']), String(other.port));
  assert.ok(other.peers.some(({ received }) => received.at(-1)?.[0] === 'BLPOP' && received.at(-2)?.[0] === 'ASKING'));
  moved = true;
  first.reply('BLPOP', `-MOVED ${slot} 127.0.0.1:${other.port}\r\n`);
  assert.equal(await cluster.sendCommand(['BLPOP', 'k', '0']), String(other.port));
});

test('what is asked of a node by name is answered by it, refusals included', async (t) => {
  await using other = await peer(() => all(other.port));
  await using first = await peer(() => all(first.port));
  const cluster = await open(t, first);
  const client = await cluster.nodeClient(cluster.masters[0]!);
  first.reply('GET', `-MOVED ${slotOf('k')} 127.0.0.1:${other.port}\r\n`);
  await assert.rejects(client.get('k'), /MOVED/);
  first.reply('DBSIZE', "-READONLY You can't write against a read only replica.\r\n");
  await assert.rejects(client.dbSize(), /READONLY/);
  first.reply('GET', `-MOVED ${slotOf('k')} 127.0.0.1:${other.port}\r\n`);
  await assert.rejects(client.multi().get('k').execAsPipeline(), /commands failed/);
  assert.equal(other.received.length, 0);
  assert.equal(await cluster.get('k'), String(first.port));
});

test('a key prefix counts for the slot of a transaction and of what is borrowed', async (t) => {
  await using first = await peer(
    () => all(first.port),
    ([name]) => (name === 'MULTI' ? '+OK\r\n' : name === 'EXEC' ? '*1\r\n+OK\r\n' : '+QUEUED\r\n'),
  );
  const cluster = await open(t, first, { keyPrefix: 'app:' });
  assert.deepEqual(await cluster.multi('key').set('key', 'v').exec(), ['OK']);
  await cluster.execute('key', (client) => client.set('key', 'v'));
  const written = first.received.filter(([name]) => name === 'SET');
  assert.deepEqual(written, [
    ['SET', 'app:key', 'v'],
    ['SET', 'app:key', 'v'],
  ]);
});

test('a sharded subscription follows MOVED', async (t) => {
  let moved = false;
  await using other = await peer(
    () => all(other.port),
    ([, channel = '']) => `>3\r\n${bulk('ssubscribe')}${bulk(channel)}:1\r\n`,
  );
  await using first = await peer(
    () => all(moved ? other.port : first.port),
    () => `-MOVED ${slotOf('c')} 127.0.0.1:${other.port}\r\n`,
  );
  const cluster = await open(t, first);
  moved = true;
  await cluster.sSubscribe('c', () => {});
  assert.deepEqual(
    other.received.filter(([name]) => name === 'SSUBSCRIBE'),
    [['SSUBSCRIBE', 'c']],
  );
});
