/** With the real API and SDK, and what a real exporter shows to a Prometheus that scrapes it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, test } from 'node:test';
import * as api from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { startCluster, startScriptedServer, startServer, waitFor } from '@redkeep/testing';
import { createClient, createClientPool, createCluster, OpenTelemetry } from '../index.js';

const exporter = new InMemorySpanExporter();
const prometheus = new PrometheusExporter({ preventServerStart: true });
const tracers = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const meters = new MeterProvider({ readers: [prometheus] });
const page = createServer((request, response) => prometheus.getMetricsRequestHandler(request, response));
let stop: () => void;

before(async () => {
  tracers.register();
  api.metrics.setGlobalMeterProvider(meters);
  await once(page.listen(0, '127.0.0.1'), 'listening');
  stop = OpenTelemetry.init({ api });
});
after(async () => {
  stop();
  page.close();
  await Promise.all([tracers.shutdown(), meters.shutdown()]);
});
beforeEach(() => exporter.reset());

const spans = (name: string) => exporter.getFinishedSpans().filter((span) => span.name === name);
/** The line of a scrape with this name and these labels, as a number. */
async function scrape(name: string, labels: Record<string, string | number> = {}): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${(page.address() as AddressInfo).port}/metrics`);
  const lines = (await response.text()).split('\n').filter((line) => line.startsWith(`${name}{`));
  const found = lines.find((line) =>
    Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)),
  );
  return found === undefined ? undefined : Number(/} (\S+)/.exec(found)![1]);
}

describe('spans', () => {
  test('a command has one, with the attributes of the conventions, under the span that was active', async () => {
    await using server = await startServer();
    await using client = createClient({ url: server.url, database: 3 });
    await client.connect();
    const parent = api.trace.getTracer('test').startSpan('request');
    await api.context.with(api.trace.setSpan(api.context.active(), parent), () => client.set('key', 'value'));
    parent.end();
    const [span] = spans('SET');
    assert.equal(span!.kind, api.SpanKind.CLIENT);
    assert.equal(span!.parentSpanContext?.spanId, parent.spanContext().spanId);
    assert.deepEqual(span!.attributes, {
      'db.system.name': 'redis',
      'db.operation.name': 'SET',
      'db.namespace': '3',
      'server.address': '127.0.0.1',
      'server.port': server.port,
    });
    assert.equal(span!.status.code, api.SpanStatusCode.UNSET);
    const [seconds, nanos] = span!.duration;
    assert.ok(seconds >= 0 && seconds < 60 && nanos > 0);
  });

  test('a refusal says its class, and nothing of what it was about', async () => {
    await using server = await startServer();
    await using client = createClient({ url: server.url });
    await client.connect();
    await client.set('text', 'hunter2');
    await assert.rejects(client.incr('text'));
    const [span] = spans('INCR');
    assert.equal(span!.status.code, api.SpanStatusCode.ERROR);
    assert.equal(span!.attributes['error.type'], 'ERR');
    assert.equal(span!.attributes['db.response.status_code'], 'ERR');
  });

  test('a transaction and a pipeline have one each', async () => {
    await using server = await startServer();
    await using client = createClient({ url: server.url });
    await client.connect();
    await client.multi().set('a', '1').incr('a').exec();
    await client.multi().incr('a').incr('a').exec();
    await client.multi().get('a').get('b').execAsPipeline();
    const names = exporter
      .getFinishedSpans()
      .map(({ name, attributes }) => [name, attributes['db.operation.batch.size']]);
    assert.deepEqual(names, [
      ['MULTI', 2],
      ['MULTI INCR', 2],
      ['PIPELINE GET', 2],
    ]);
  });

  test('a script is named by its digest', async () => {
    await using server = await startServer();
    await using client = createClient({ url: server.url });
    await client.connect();
    const digest = await client.scriptLoad('return ARGV[1]');
    await client.evalSha(digest, { arguments: ['hunter2'] });
    assert.equal(spans('EVALSHA')[0]!.attributes['db.stored_procedure.name'], digest);
  });

  test('commands of a cluster name the node that they ran on', async () => {
    await using servers = await startCluster({ masters: 3 });
    await using cluster = createCluster({ rootNodes: [{ url: servers.masters[0]!.url }] });
    await cluster.connect();
    await Promise.all(Array.from({ length: 30 }, (_, i) => cluster.set(`key:${i}`, 'v')));
    const ports = new Set(spans('SET').map(({ attributes }) => attributes['server.port']));
    assert.deepEqual([...ports].sort(), servers.masters.map(({ port }) => port).sort());
  });
});

describe('metrics', () => {
  test('durations, connections and pools', async (t) => {
    await using server = await startServer();
    const pool = createClientPool({ url: server.url }, { minimum: 1, maximum: 1, acquireTimeout: 20 });
    t.after(() => pool.isOpen && pool.destroy());
    await pool.connect();
    const name = `127.0.0.1:${server.port}`;
    await pool.set('a', '1');
    assert.equal(
      await scrape('db_client_operation_duration_count', {
        db_operation_name: 'SET',
        server_port: server.port,
      }),
      1,
    );
    const connections = (state: string) =>
      scrape('db_client_connection_count', { db_client_connection_pool_name: name, db_client_connection_state: state });
    assert.equal(await connections('idle'), 1);
    await pool.execute(async () => {
      assert.equal(await connections('idle'), 0);
      assert.equal(await connections('used'), 1);
      await assert.rejects(
        pool.execute(() => undefined),
        { code: 'REDKEEP_TIMEOUT' },
      );
    });
    assert.equal(await scrape('db_client_connection_timeouts_total', { db_client_connection_pool_name: name }), 1);
    assert.equal(await scrape('db_client_connection_use_time_count', { db_client_connection_pool_name: name }), 1);
    await pool.close();
    assert.equal(await connections('idle'), 0);
    assert.equal(await scrape('db_client_connection_create_time_count', { db_client_connection_pool_name: name }), 1);
  });

  test('TLS: sessions by protocol and cipher, time left of the certificate, failed handshakes', async () => {
    await using server = await startServer({ tls: true });
    const at = { server_port: server.tlsPort };
    await using client = createClient({ url: server.url, tls: { caFile: server.tlsFiles!.ca } });
    await client.connect();
    assert.equal(await scrape('redkeep_client_tls_sessions_total', { ...at, tls_protocol_version: '1.3' }), 1);
    const left = await scrape('redkeep_client_tls_certificate_time_left', at);
    assert.ok(Math.abs(left! - (client.tlsInfo()!.validTo.getTime() - Date.now()) / 1000) < 60);
    await assert.rejects(createClient({ url: server.url }).connect());
    assert.equal(
      await scrape('redkeep_client_connection_errors_total', { ...at, error_type: 'REDKEEP_CERTIFICATE_UNTRUSTED' }),
      1,
    );
  });

  test('policy, rate limit, circuit breaker and repeated commands, each with its event', async (t) => {
    await using server = await startScriptedServer({ onCommand: () => undefined });
    server.reply('PING', '+PONG\r\n');
    const client = createClient({
      url: server.url,
      commandOptions: { timeout: 20 },
      rateLimit: { rate: 0.001, burst: 3 },
      circuitBreaker: { threshold: 1, coolDownMs: 60_000 },
    });
    const events: unknown[] = [];
    for (const event of ['command-refused', 'rate-limited', 'circuit', 'retry'])
      client.on(event, (detail) => events.push([event, detail]));
    client.on('error', () => {});
    t.after(() => client.isOpen && client.destroy());
    await client.connect();
    await assert.rejects(client.flushAll(), { code: 'REDKEEP_COMMAND_REFUSED' });
    await client.ping();
    const lost = client.withCommandOptions({ timeout: 10_000 }).get('a');
    await server.waitForCommand('GET');
    server.reply('GET', '$1\r\nb\r\n');
    server.dropPeers();
    assert.equal(await lost, 'b');
    await assert.rejects(client.hGet('h', 'f'), { code: 'REDKEEP_TIMEOUT' });
    await assert.rejects(client.hLen('h'), { code: 'REDKEEP_RATE_LIMITED' });
    assert.deepEqual(events, [
      ['command-refused', { command: 'FLUSHALL', code: 'REDKEEP_COMMAND_REFUSED' }],
      ['retry', { command: 'GET', attempt: 1 }],
      ['circuit', 'open'],
      ['rate-limited', { command: 'HLEN' }],
    ]);
    const named = (command: string) => ({ db_operation_name: command });
    assert.equal(await scrape('redkeep_client_commands_refused_total', named('FLUSHALL')), 1);
    assert.equal(await scrape('redkeep_client_commands_rate_limited_total', named('HLEN')), 1);
    assert.equal(await scrape('redkeep_client_commands_retries_total', named('GET')), 1);
    assert.equal(await scrape('redkeep_client_circuit_transitions_total', { redkeep_client_circuit_state: 'open' }), 1);
  });

  test('new credentials on live connections', async () => {
    await using server = await startServer({ password: 'one' });
    let give: (credentials: { password: string }) => void = () => {};
    await using client = createClient({
      url: server.url,
      credentialsProvider: {
        type: 'credentials-source',
        current: () => ({ password: 'one' }),
        watch(onChange) {
          give = onChange;
          return () => {};
        },
      },
    });
    await client.connect();
    give({ password: 'one' });
    await waitFor(
      async () => (await scrape('redkeep_client_reauthentications_total', { server_port: server.port })) === 1,
    );
  });
});

test('what is not the API is refused, and a second start too', () => {
  assert.throws(() => OpenTelemetry.init({ api: {} as never }), { code: 'REDKEEP_INVALID_OPTION', option: 'api' });
  assert.throws(() => OpenTelemetry.init({ api }), { code: 'REDKEEP_INVALID_OPTION' });
});
