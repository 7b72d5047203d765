/**
 * `npm run chaos [-- --seconds 5 --seed 1 --only 'kill -9']`: faults under load, one scenario after the other, each
 * with a checker. Exit code 1 when the client broke a promise.
 */
import { parseArgs } from 'node:util';
import { renderTable } from './report.js';
import type { Report } from './run.js';
import { SCENARIOS } from './scenarios/index.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() >>> 0) },
    only: { type: 'string', default: '' },
  },
});
const chosen = SCENARIOS.filter(({ name, topology }) => `${topology}: ${name}`.includes(values.only));
if (chosen.length === 0) {
  console.error(`No scenario matches. There are:\n${SCENARIOS.map((s) => `${s.topology}: ${s.name}`).join('\n')}`);
  process.exit(2);
}

console.error(`seed ${values.seed}`);
const reports: Report[] = [];
for (const scenario of chosen) {
  const { topology, mayLose = false } = scenario;
  const name = `${topology}: ${scenario.name}`;
  reports.push(await scenario.run({ name, mayLose, seed: Number(values.seed), seconds: Number(values.seconds) }));
  console.error(`${name} … ${reports.at(-1)!.violations.length === 0 ? 'holds' : 'VIOLATED'}`);
}
console.log(renderTable(reports));
process.exitCode = reports.some((report) => report.violations.length > 0) ? 1 : 0;
