/** Every rule fires on what it is for and stays quiet otherwise, by promtool's own rule tests. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { stringify } from 'yaml';
import { eventNames } from '../detect/events.js';
import { runProgram } from '../testing/program.js';
import { type AlertRule, alertRules } from './alert-rules.js';
import { prometheusRules } from './prometheus-rules.js';

const labels = { deployment: 'shop', node: 'node-1' };
const series = (name: string, values: string, more: Readonly<Record<string, string>> = {}) => ({
  series: `${name}{${Object.entries({ ...labels, ...more })
    .map(([key, value]) => `${key}="${value}"`)
    .join(',')}}`,
  values,
});
/** Twelve minutes of a value, a sample a minute. */
const steady = (value: number) => `${value}x12`;
const monitorRuns = [
  { series: 'redkeep_monitor_info{version="1"}', values: '1x12' },
  { series: 'redkeep_monitor_last_round_timestamp_seconds', values: '0+60x12' },
];

/** A value of a state on the quiet side of its bound, and one on the other. */
function sides({ when }: AlertRule): { quiet: number; loud: number } {
  if ('event' in when) throw new Error('an event has no sides');
  const { operator, value } = when;
  if (operator === '==') return { quiet: value === 0 ? 1 : 0, loud: value };
  return operator === '>' ? { quiet: value, loud: value + 0.05 } : { quiet: value, loud: value - 1 };
}

function inputOf(rule: AlertRule, loud: boolean) {
  const { when } = rule;
  if ('event' in when) return series('redkeep_events_total', loud ? '0x5 1x7' : steady(7), { event: when.event });
  const { quiet, loud: over } = sides(rule);
  return series(`redkeep_node_${when.state}`, steady(loud ? over : quiet));
}

const annotations = (rule: AlertRule) => ({
  summary: `shop node-1 ${rule.summary}`,
  next_step: rule.nextStep,
});

describe('the alert rules', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'redkeep-rules-'));
    await writeFile(path.join(folder, 'rules.yml'), prometheusRules());
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('are valid, one for each event and alert', async () => {
    const { code, out } = await runProgram('promtool', ['check', 'rules', path.join(folder, 'rules.yml')]);
    assert.equal(code, 0, out);
    assert.match(out, new RegExp(`${alertRules.length + 1} rules found`));
    assert.equal(new Set(alertRules.map(({ alert }) => alert)).size, alertRules.length);
    const covered = alertRules.flatMap(({ when }) => ('event' in when ? [when.event] : []));
    assert.deepEqual([...covered].sort(), [...eventNames].sort());
  });

  test('fire on the fault and stay quiet on the bound', async () => {
    const test = (rule: AlertRule, loud: boolean) => ({
      interval: '1m',
      input_series: [...monitorRuns, inputOf(rule, loud)],
      alert_rule_test: [
        {
          eval_time: '11m',
          alertname: rule.alert,
          // Five minutes after an event it is over; eight minutes in, it is not.
          exp_alerts:
            loud && !('event' in rule.when)
              ? [{ exp_labels: { ...labels, severity: rule.severity }, exp_annotations: annotations(rule) }]
              : [],
        },
        ...('event' in rule.when && loud
          ? [
              {
                eval_time: '7m',
                alertname: rule.alert,
                exp_alerts: [
                  {
                    exp_labels: { ...labels, event: rule.when.event, severity: rule.severity },
                    exp_annotations: annotations(rule),
                  },
                ],
              },
            ]
          : []),
      ],
    });
    const missing = {
      interval: '1m',
      input_series: [],
      alert_rule_test: [
        {
          eval_time: '5m',
          alertname: 'RedkeepMonitorMissing',
          exp_alerts: [
            {
              exp_labels: { severity: 'critical' },
              exp_annotations: {
                summary: 'The Redkeep monitor does not answer: attacks go unseen',
                next_step: 'Start redkeep monitor; its log says why it ended.',
              },
            },
          ],
        },
      ],
    };
    const present = {
      interval: '1m',
      input_series: monitorRuns,
      alert_rule_test: [{ eval_time: '10m', alertname: 'RedkeepMonitorMissing', exp_alerts: [] }],
    };
    const tests = [...alertRules.flatMap((rule) => [test(rule, true), test(rule, false)]), missing, present];
    const file = path.join(folder, 'test.yml');
    await writeFile(
      file,
      stringify({ rule_files: ['rules.yml'], evaluation_interval: '1m', tests }, { aliasDuplicateObjects: false }),
    );
    const { code, out } = await runProgram('promtool', ['test', 'rules', file]);
    assert.equal(code, 0, out);
    assert.match(out, /SUCCESS/);
  });
});
