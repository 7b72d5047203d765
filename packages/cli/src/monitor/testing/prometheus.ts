import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort, waitFor } from '@redkeep/testing';
import { stringify } from 'yaml';
import { prometheusRules } from '../alerts/prometheus-rules.js';
import { startProgram } from './program.js';

export interface QueryResult {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** A real Prometheus with Redkeep's rules that scrapes addresses every second, and an Alertmanager if asked for. */
export async function startPrometheus(options: {
  readonly scrape: readonly { readonly address: string; readonly path?: string; readonly target?: string }[];
  readonly alertmanager?: number;
  readonly token?: string;
}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'redkeep-prometheus-'));
  const port = await freePort();
  const rules = path.join(folder, 'rules.yml');
  await writeFile(rules, prometheusRules());
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: options.scrape.map(({ address, path: metricsPath = '/metrics', target }, index) => ({
      job_name: `job-${index}`,
      metrics_path: metricsPath,
      ...(target === undefined ? {} : { params: { target: [target] } }),
      ...(options.token === undefined ? {} : { authorization: { credentials: options.token } }),
      static_configs: [{ targets: [address] }],
    })),
    ...(options.alertmanager === undefined
      ? {}
      : { alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${options.alertmanager}`] }] }] } }),
  };
  await writeFile(path.join(folder, 'prometheus.yml'), stringify(config));
  const program = startProgram('prometheus', [
    `--config.file=${path.join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${path.join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ]);
  const url = `http://127.0.0.1:${port}`;
  const get = async (address: string) => (await (await fetch(`${url}${address}`)).json()) as { data: unknown };
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { message: 'Prometheus to be ready' });
  return {
    url,
    port,
    output: program.output,
    async query(expr: string): Promise<readonly QueryResult[]> {
      const { data } = await get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
      return (data as { result: QueryResult[] }).result;
    },
    /** Names of alerts that fire. */
    async firing(): Promise<string[]> {
      const { data } = await get('/api/v1/alerts');
      const { alerts } = data as { alerts: { state: string; labels: { alertname: string } }[] };
      return alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
    },
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A real Alertmanager that keeps what it is sent. */
export async function startAlertmanager() {
  const folder = await mkdtemp(path.join(tmpdir(), 'redkeep-alertmanager-'));
  const port = await freePort();
  await writeFile(
    path.join(folder, 'alertmanager.yml'),
    stringify({ route: { receiver: 'none', group_by: ['deployment'] }, receivers: [{ name: 'none' }] }),
  );
  const program = startProgram('prometheus-alertmanager', [
    `--config.file=${path.join(folder, 'alertmanager.yml')}`,
    `--storage.path=${path.join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--cluster.listen-address=',
  ]);
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/-/ready`)).ok, { message: 'Alertmanager to be ready' });
  return {
    url,
    port,
    output: program.output,
    async [Symbol.asyncDispose]() {
      await program[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
