import type { Area } from '../checks/check.js';
import { areaOf } from './evaluate.js';
import type { AspectRisk, CheckResult } from './result.js';

const aspects: Readonly<Record<string, readonly Area[]>> = {
  authentication: ['AUTH'],
  network: ['NET', 'TLS', 'CTR'],
  commands: ['ACL', 'CFG'],
  'data protection': ['HOST', 'BKP', 'LOG', 'CLI'],
  software: ['VER'],
};

function highest(results: readonly CheckResult[]): number {
  return Math.max(0, ...results.map((result) => result.cvss?.score ?? 0));
}

/** A command for every occurrence: advice to a person has fixed nothing yet. */
function hasRemedy(result: CheckResult): boolean {
  return result.occurrences.every(({ fix }) => fix.some(({ command }) => !command.startsWith('#')));
}

/** Risk by aspect: the highest CVSS base score among the findings, now and when the printed commands were run. */
export function riskByAspect(results: readonly CheckResult[]): Record<string, AspectRisk> {
  const rate = (some: readonly CheckResult[]): AspectRisk => {
    const findings = some.filter(({ status }) => status === 'fail');
    return {
      now: highest(findings),
      afterFixes: highest(findings.filter((result) => !hasRemedy(result))),
      unknown: some.filter(({ status }) => status === 'unknown').length,
    };
  };
  const byAspect = Object.entries(aspects).map(([name, of]) => [
    name,
    rate(results.filter((one) => of.includes(areaOf(one)))),
  ]);
  return { ...Object.fromEntries(byAspect), overall: rate(results) };
}
