const weights = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  CIA: { H: 0.56, L: 0.22, N: 0 },
} as const;

const privileges = { unchanged: { N: 0.85, L: 0.62, H: 0.27 }, changed: { N: 0.85, L: 0.68, H: 0.5 } } as const;

/** CVSS 3.1 specification, appendix A: smallest number with one decimal that is not below the input. */
function roundUp(value: number): number {
  const scaled = Math.round(value * 100_000);
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10;
}

/**
 * Base score of a CVSS 3.1 vector (with or without the `CVSS:3.1/` prefix).
 * @throws RangeError when a metric is missing or has no such value.
 * @example cvssScore('AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H') // 9.8
 */
export function cvssScore(vector: string): number {
  const metrics = new Map(
    vector
      .replace(/^CVSS:3\.[01]\//, '')
      .split('/')
      .map((part) => part.split(':') as [string, string]),
  );
  const weight = (metric: string, table: Readonly<Record<string, number>>): number => {
    const value = table[metrics.get(metric) ?? ''];
    if (value === undefined) throw new RangeError(`CVSS vector ${vector}: metric ${metric}`);
    return value;
  };
  const changed = weight('S', { U: 0, C: 1 }) === 1;
  const impactBase =
    1 - (1 - weight('C', weights.CIA)) * (1 - weight('I', weights.CIA)) * (1 - weight('A', weights.CIA));
  const impact = changed ? 7.52 * (impactBase - 0.029) - 3.25 * (impactBase - 0.02) ** 15 : 6.42 * impactBase;
  const exploitability =
    8.22 *
    weight('AV', weights.AV) *
    weight('AC', weights.AC) *
    weight('PR', changed ? privileges.changed : privileges.unchanged) *
    weight('UI', weights.UI);
  if (impact <= 0) return 0;
  return roundUp(Math.min((changed ? 1.08 : 1) * (impact + exploitability), 10));
}

export const severities = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof severities)[number];

/** The rating scale of the CVSS 3.1 specification; "none" is called info here. */
export function severityOf(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'info';
}

export function atLeast(severity: Severity, threshold: Severity): boolean {
  return severities.indexOf(severity) >= severities.indexOf(threshold);
}
