/**
 * `npm run chaos:bullmq [-- --seconds 5 --only 'CLIENT KILL']`: a queue of BullMQ under faults, on Redkeep and on ioredis
 * beside it. Exit code 1 when Redkeep lost or doubled a job.
 */
import { parseArgs } from 'node:util';
import { CLIENTS, type ClientName, type Outcome, runScenario, SCENARIOS } from './testing/bullmq-faults.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, only: { type: 'string', default: '' } },
});
const print = (line: string) => process.stdout.write(`${line}\n`);
const COLUMNS: readonly (keyof Outcome)[] = ['acknowledged', 'refused', 'faults', 'lost', 'addedTwice', 'ranTwice'];
print(`| scenario | client | ${COLUMNS.join(' | ')} |`);
print(`|---|---|${COLUMNS.map(() => '---').join('|')}|`);
for (const scenario of SCENARIOS.filter(({ name }) => name.includes(values.only)))
  for (const client of Object.keys(CLIENTS) as ClientName[]) {
    const outcome = await runScenario(scenario, client, Number(values.seconds));
    print(`| ${scenario.name} | ${client} | ${COLUMNS.map((column) => outcome[column]).join(' | ')} |`);
    const broken = outcome.addedTwice > 0 || (outcome.lost > 0 && !scenario.mayLose);
    if (client !== 'ioredis' && broken) process.exitCode = 1;
  }
