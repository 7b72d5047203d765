import { stringify } from 'yaml';
import { type AlertRule, alertRules, eventWindowSeconds } from './alert-rules.js';

/** The PromQL of an alert. */
export function expressionOf({ when }: AlertRule): string {
  if ('event' in when) return `increase(redkeep_events_total{event="${when.event}"}[${eventWindowSeconds / 60}m]) > 0`;
  return `redkeep_node_${when.state} ${when.operator} ${when.value}`;
}

/** A rule file for Prometheus, one rule an alert, and one that fires when the monitor itself is gone. */
export function prometheusRules(): string {
  const rules = alertRules.map((rule) => ({
    alert: rule.alert,
    expr: expressionOf(rule),
    ...('event' in rule.when || rule.when.forSeconds === 0 ? {} : { for: `${rule.when.forSeconds}s` }),
    labels: { severity: rule.severity },
    annotations: {
      summary: `{{ $labels.deployment }} {{ $labels.node }} ${rule.summary}`,
      next_step: rule.nextStep,
    },
  }));
  const absent = {
    alert: 'RedkeepMonitorMissing',
    expr: 'absent(redkeep_monitor_info) or time() - redkeep_monitor_last_round_timestamp_seconds > 120',
    for: '2m',
    labels: { severity: 'critical' },
    annotations: {
      summary: 'The Redkeep monitor does not answer: attacks go unseen',
      next_step: 'Start redkeep monitor; its log says why it ended.',
    },
  };
  return `# Made by redkeep from its table of alerts.\n${stringify({ groups: [{ name: 'redkeep-security', rules: [...rules, absent] }] }, { lineWidth: 0 })}`;
}
