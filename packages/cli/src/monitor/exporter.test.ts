/** The exporter beside a real redis_exporter on the same server, and the queries of its dashboards asked of a real Prometheus. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { freePort, waitFor } from '@redkeep/testing';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';
import { panels } from './dashboard.js';
import { startProgram } from './testing/program.js';
import { startPrometheus } from './testing/prometheus.js';

/**
 * What redis_exporter has and this exporter leaves out: CONFIG GET would hand out `masterauth`, SLOWLOG GET the
 * arguments of other clients. The rest is about that program itself.
 */
const leftOut = [
  /^redis_config_/,
  /^redis_exporter_/,
  /^redis_target_scrape_/,
  /^redis_slowlog_last_id$/,
  /^redis_last_key_groups_/,
  /^redis_last_slow_execution_duration_seconds$/,
  /^redis_commands_latencies_usec/,
];

/**
 * Queries of the dashboards 763 and 11835 and of the mixin, as their panels send them, variables put in: `I` is the
 * selector of the instance.
 */
const dashboardQueries = [
  ...['max(max_over_time(redis_uptime_in_seconds{I}[1m]))', 'sum(redis_connected_clients{I})'],
  'sum(100 * (redis_memory_used_bytes{I} / redis_memory_max_bytes{I}))',
  'sum(rate(redis_commands_total{I}[1m])) by (cmd)',
  ...['irate(redis_keyspace_hits_total{I}[5m])', 'irate(redis_keyspace_misses_total{I}[5m])'],
  ...['redis_memory_used_bytes{I}', 'redis_memory_max_bytes{I}'],
  ...['sum(rate(redis_net_input_bytes_total{I}[5m]))', 'sum(rate(redis_net_output_bytes_total{I}[5m]))'],
  'sum (redis_db_keys{I}) by (db, instance)',
  'sum (redis_db_keys{I}) by (instance) - sum (redis_db_keys_expiring{I}) by (instance)',
  'sum (redis_db_keys_expiring{I}) by (instance)',
  'sum(rate(redis_expired_keys_total{I}[5m])) by (instance)',
  'sum(rate(redis_evicted_keys_total{I}[5m])) by (instance)',
  'sum(redis_blocked_clients{I})',
  'sum(irate(redis_commands_duration_seconds_total{I}[1m])) by (cmd) / sum(irate(redis_commands_total{I}[1m])) by (cmd)',
  'sum(irate(redis_commands_duration_seconds_total{I}[1m])) by (cmd) != 0',
  'rate(redis_commands_processed_total{I}[5m])',
  'topk(5, irate(redis_commands_total{I}[1m]))',
  'avg(irate(redis_commands_total{I}[1m])) by (cmd)',
  'avg(irate(redis_keyspace_hits_total{I}[1m]) / (irate(redis_keyspace_misses_total{I}[1m]) + irate(redis_keyspace_hits_total{I}[1m]))) by (instance)',
  ...['sum(redis_memory_used_rss_bytes{I})', 'redis_memory_fragmentation_ratio{I}'],
  'irate(redis_evicted_keys_total{I}[1m])',
  'sum(redis_connected_slaves{I}) by (instance)',
  'redis_master_last_io_seconds_ago{instance=~".+"}',
  // Conditions of the mixin's alerts, without their bounds.
  ...['redis_up{I}', 'redis_memory_used_bytes{I} / redis_total_system_memory_bytes{I}', 'redis_connected_clients{I}'],
  // Other columns that 11835 shows.
  ...['redis_instance_info{I}', 'redis_rejected_connections_total{I}', 'redis_connections_received_total{I}'],
  ...['redis_rdb_last_save_timestamp_seconds{I}', 'redis_mem_fragmentation_ratio{I}', 'redis_config_maxclients{I}'],
  ...[
    'redis_connected_slave_lag_seconds{instance=~".+"}',
    'redis_master_link_up{instance=~".+"}',
    'redis_slowlog_length{I}',
  ],
];

type Series = Map<string, { readonly labels: Set<string>; readonly samples: Map<string, number> }>;

/** Names, label names and values of an exposition. */
function seriesOf(text: string): Series {
  const series: Series = new Map();
  for (const [, name, labelText = '', value] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/gm)) {
    const pairs = [...labelText.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)]
      .map(([, key, text_]) => `${key}="${text_}"`)
      .sort();
    const one = series.get(name!) ?? { labels: new Set<string>(), samples: new Map<string, number>() };
    for (const pair of pairs) one.labels.add(pair.split('=')[0]!);
    one.samples.set(pairs.join(','), Number(value));
    series.set(name!, one);
  }
  return series;
}

describe('the exporter', () => {
  let sandbox: CliSandbox;
  let listen: string;
  let running: Promise<unknown>;
  const stop = new AbortController();
  const get = async (path: string) => (await fetch(`http://${listen}${path}`)).text();

  before(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    await sandbox.run(['init', '--yes', '--profile', 'production', '--topology', 'sentinel', '--port', port]);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    const { connect } = await openDeployment(sandbox);
    const app = await connect('app');
    await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        app.set(`app:${index}`, 'value', { expiration: { type: 'EX', value: 1000 + index } }),
      ),
    );
    await Promise.all([app.get('app:1'), app.get('app:none')]);
    await app.sendCommand(['GET']).catch(() => undefined);
    app.destroy();
    listen = `127.0.0.1:${await freePort()}`;
    let said = '';
    running = sandbox.run(['monitor', '--listen', listen, '--interval', '1'], {
      signal: stop.signal,
      onText: (text) => {
        said += text;
      },
    });
    await waitFor(() => said.includes('Metrics:'), { message: 'the monitor to listen' });
    await waitFor(async () => (await fetch(`http://${listen}/-/ready`)).ok, { message: 'a first round' });
  });
  after(async () => {
    stop.abort();
    await running;
    await sandbox.remove();
  });

  test('asks only what its user may, on every node', async () => {
    const { connect, deployment } = await openDeployment(sandbox);
    const seen = () =>
      waitFor(async () => /^redkeep_monitor_last_round_timestamp_seconds (\S+)/m.exec(await get('/metrics'))?.[1]);
    const first = Number(await seen());
    await waitFor(async () => Number(await seen()) > first + 3, { message: 'some rounds' });
    for (const node of deployment.nodes) {
      const admin = await connect('admin', node);
      assert.equal(/errorstat_NOPERM/.test(String(await admin.sendCommand(['INFO', 'errorstats']))), false, node.name);
      const log = (await admin.sendCommand(['ACL', 'LOG'])) as unknown as unknown[];
      assert.deepEqual(log, [], node.name);
      admin.destroy();
    }
  });

  for (const target of ['node-1', 'node-2', 'sentinel-1']) {
    test(`has every name and label that redis_exporter has for ${target}`, async () => {
      const { deployment } = await openDeployment(sandbox);
      const { host, port } = deployment.nodes.find(({ name }) => name === target)!;
      const file = (path: string) => sandbox.path('redkeep', path);
      const address = `127.0.0.1:${await freePort()}`;
      await using exporter = startProgram(
        'prometheus-redis-exporter',
        [
          ...[`-redis.addr=rediss://${host}:${port}`, '-redis.user=monitoring', `-web.listen-address=${address}`],
          ...[`-tls-ca-cert-file=${file('pki/ca.crt')}`, `-tls-client-cert-file=${file('pki/clients/monitoring.crt')}`],
          ...[`-tls-client-key-file=${file('pki/clients/monitoring.key')}`, '-include-system-metrics'],
        ],
        { REDIS_PASSWORD: (await readFile(file('secrets/monitoring.password'), 'utf8')).trim() },
      );
      const theirs = await waitFor(
        async () => {
          const text = await (await fetch(`http://${address}/metrics`)).text();
          return text.includes('redis_up 1') ? seriesOf(text) : undefined;
        },
        { message: `redis_exporter: ${exporter.output()}` },
      );
      const ours = seriesOf(await get(`/scrape?target=${target}`));
      const all = [...theirs.keys()].filter(
        (name) => name.startsWith('redis_') && !leftOut.some((rule) => rule.test(name)),
      );
      // A sentinel holds no keys; redis_exporter makes up sixteen empty databases.
      const names = all.filter((name) => !(target.startsWith('sentinel') && /^redis_db_keys/.test(name)));
      assert.ok(names.length > (target.startsWith('sentinel') ? 25 : 90), `${names.length} names`);
      assert.deepEqual(
        names.filter((name) => !ours.has(name)),
        [],
      );
      const missingLabels = names.flatMap((name) =>
        [...theirs.get(name)!.labels]
          .filter((label) => !ours.get(name)!.labels.has(label))
          .map((label) => `${name} ${label}`),
      );
      assert.deepEqual(missingLabels, []);
      // What does not move between the two scrapes has the same value.
      for (const name of [
        'redis_db_keys',
        'redis_db_keys_expiring',
        'redis_memory_max_bytes',
        'redis_connected_slaves',
        'redis_master_link_up',
        'redis_aof_enabled',
      ])
        for (const [labels, value] of theirs.get(name)?.samples ?? [])
          assert.equal(ours.get(name)?.samples.get(labels) ?? 0, value, `${name} ${labels}`);
      const cmd = theirs.get('redis_commands_total')?.samples.get('cmd="set"');
      assert.equal(ours.get('redis_commands_total')?.samples.get('cmd="set"'), cmd);
    });
  }

  test('answers every query of the well-known dashboards and of its own', async () => {
    await using prometheus = await startPrometheus({
      scrape: [
        { address: listen, path: '/scrape', target: 'node-1' },
        { address: listen, path: '/scrape', target: 'node-2' },
        { address: listen },
      ],
    });
    const instance = `instance="${listen}",job="job-0"`;
    const own = panels.flatMap(({ queries }) => queries.map(({ expr }) => expr.replaceAll('$deployment', '.*')));
    // Nobody was refused and nothing fires here: a rate of nothing has no series.
    const empty = [/refused_/, /^ALERTS/];
    const queries = [
      ...dashboardQueries.map((query) => query.replaceAll('{I}', `{${instance}}`)),
      ...own.filter((query) => !empty.some((rule) => rule.test(query))),
    ];
    const unanswered = new Set(queries);
    await waitFor(
      async () => {
        for (const query of unanswered) if ((await prometheus.query(query)).length > 0) unanswered.delete(query);
        return unanswered.size === 0;
      },
      { timeout: 30_000, interval: 500, message: 'an answer to every query' },
    ).catch(() => undefined);
    assert.deepEqual([...unanswered], []);
    assert.ok(queries.length >= 54, `${queries.length} queries`);
  });

  test('refuses targets that it was not given, and host names that are not its own', async () => {
    assert.equal((await fetch(`http://${listen}/scrape?target=rediss://evil.example:6379`)).status, 400);
    const { request } = await import('node:http');
    const status = await new Promise((resolve) => {
      request(`http://${listen}/metrics`, { headers: { host: 'evil.example' } }, ({ statusCode }) =>
        resolve(statusCode),
      ).end();
    });
    assert.equal(status, 421);
  });
});
