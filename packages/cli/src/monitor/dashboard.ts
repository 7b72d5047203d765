import { alertRules } from './alerts/alert-rules.js';

interface Panel {
  readonly title: string;
  readonly kind: 'stat' | 'timeseries' | 'table';
  readonly unit?: string;
  readonly queries: readonly { readonly expr: string; readonly legend: string }[];
}

const of = '{deployment=~"$deployment"}';
const query = (expr: string, legend: string) => ({ expr, legend });

/** Panels, in reading order. Each query is asked of a real Prometheus in the tests. */
export const panels: readonly Panel[] = [
  {
    title: 'Servers that answer',
    kind: 'stat',
    queries: [query(`sum(redkeep_node_up${of})`, 'up'), query(`count(redkeep_node_up${of})`, 'watched')],
  },
  {
    title: 'Certificates: days left',
    kind: 'stat',
    unit: 'd',
    queries: [query(`min by (node) (redkeep_node_certificate_seconds_left${of}) / 86400`, '{{node}}')],
  },
  {
    title: 'Passwords overdue',
    kind: 'stat',
    queries: [query(`sum(redkeep_node_secret_overdue${of})`, 'overdue')],
  },
  {
    title: 'Events in 5 minutes',
    kind: 'timeseries',
    queries: [query(`sum by (event) (increase(redkeep_events_total${of}[5m]))`, '{{event}}')],
  },
  {
    title: 'Failed logins and refused commands, a second',
    kind: 'timeseries',
    queries: [
      query(`sum by (user) (rate(redkeep_refused_logins_total${of}[5m]))`, 'login {{user}}'),
      query(`sum by (user, reason) (rate(redkeep_refused_commands_total${of}[5m]))`, '{{user}} {{reason}}'),
    ],
  },
  {
    title: 'Clients by user',
    kind: 'timeseries',
    queries: [query(`sum by (user) (redkeep_clients${of})`, '{{user}}')],
  },
  {
    title: 'Networks of clients',
    kind: 'timeseries',
    queries: [query(`max by (user) (redkeep_client_networks${of})`, '{{user}}')],
  },
  {
    title: 'Bytes sent, a second',
    kind: 'timeseries',
    unit: 'Bps',
    queries: [query(`sum by (node) (rate(redkeep_output_bytes_total${of}[5m]))`, '{{node}}')],
  },
  {
    title: 'New connections, a second',
    kind: 'timeseries',
    queries: [query(`sum by (node) (rate(redkeep_connections_received_total${of}[5m]))`, '{{node}}')],
  },
  {
    title: 'Changes of configuration, users, modules, functions',
    kind: 'timeseries',
    queries: [query(`sum by (node, of) (changes(redkeep_fingerprint${of}[5m]))`, '{{node}} {{of}}')],
  },
  {
    title: 'Replicas that are not of the deployment',
    kind: 'stat',
    queries: [query(`sum(redkeep_node_unknown_replicas${of})`, 'unknown')],
  },
  {
    title: 'Clients without TLS',
    kind: 'stat',
    queries: [query(`sum(redkeep_node_plaintext_clients${of})`, 'plaintext')],
  },
  {
    title: 'Ages of passwords',
    kind: 'timeseries',
    unit: 's',
    queries: [query(`max by (kind, secret) (redkeep_secret_age_seconds${of})`, '{{kind}} {{secret}}')],
  },
  {
    title: 'Memory used by its limit',
    kind: 'timeseries',
    unit: 'percentunit',
    queries: [query(`redkeep_node_memory_used_ratio${of}`, '{{node}}')],
  },
  {
    title: 'Seconds of a round',
    kind: 'timeseries',
    unit: 's',
    queries: [query(`redkeep_round_duration_seconds${of}`, '{{node}}')],
  },
  {
    title: `Alerts that fire (of ${alertRules.length + 1})`,
    kind: 'table',
    queries: [query('ALERTS{alertname=~"Redkeep.*", alertstate="firing"}', '{{alertname}}')],
  },
];

/** A dashboard for Grafana 9 and later. It asks for the data source when it is imported. */
export function dashboard(): string {
  // A variable of the dashboard, put together so that it is not read as one of this program.
  const datasource = { type: 'prometheus', uid: ['$', '{datasource}'].join('') };
  const width = 8;
  const height = 7;
  const body = {
    title: 'Redkeep: security of Redis and Valkey',
    uid: 'redkeep-security',
    tags: ['redkeep', 'redis', 'valkey', 'security'],
    schemaVersion: 38,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
        {
          name: 'deployment',
          type: 'query',
          label: 'Deployment',
          datasource,
          query: { query: 'label_values(redkeep_node_up, deployment)', refId: 'deployment' },
          refresh: 2,
          multi: true,
          includeAll: true,
          allValue: '.*',
          current: { text: 'All', value: '$__all' },
        },
      ],
    },
    panels: panels.map(({ title, kind, unit, queries }, index) => ({
      id: index + 1,
      title,
      type: kind,
      datasource,
      gridPos: { x: (index % 3) * width, y: Math.floor(index / 3) * height, w: width, h: height },
      fieldConfig: { defaults: unit === undefined ? {} : { unit }, overrides: [] },
      targets: queries.map(({ expr, legend }, number) => ({
        refId: String.fromCharCode(65 + number),
        expr,
        legendFormat: legend,
        ...(kind === 'table' ? { format: 'table', instant: true } : {}),
      })),
    })),
  };
  return `${JSON.stringify(body, null, 2)}\n`;
}
