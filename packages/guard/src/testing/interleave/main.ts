/**
 * Explores every order in which the commands of operations can reach Redis, with a crash of either side at any point.
 *
 *   npm run interleave -- [component …] [--most 2000] [--pairs]
 */
import { parseArgs } from 'node:util';
import { startServer } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { explore } from './explore.js';
import { scenarios } from './scenarios.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { most: { type: 'string', default: '20000' }, pairs: { type: 'boolean', default: false } },
});
await using server = await startServer();
const client = await createClient({ url: server.url, commandPolicy: 'unrestricted' }).connect();
let violations = 0;
let schedules = 0;
let steps = 0;
let partial = 0;
const started = performance.now();
for (const [component, make] of Object.entries(scenarios)) {
  if (positionals.length > 0 && !positionals.includes(component)) continue;
  for (const scenario of make(!values.pairs)) {
    const found = await explore(scenario, {
      client,
      empty: () => client.sendCommand(['FLUSHALL']),
      most: Number(values.most),
    });
    schedules += found.schedules;
    steps += found.steps;
    if (!found.exhaustive) partial += 1;
    violations += found.violations.length;
    const extent = found.exhaustive ? '' : ` (stopped at --most ${values.most})`;
    process.stdout.write(`${found.schedules} orders, ${found.steps} commands: ${scenario.name}${extent}\n`);
    for (const { problem, schedule } of found.violations)
      process.stdout.write(`  VIOLATION ${problem}\n    ${schedule}\n`);
  }
}
const seconds = ((performance.now() - started) / 1000).toFixed(0);
process.stdout.write(
  `\n${schedules} orders explored with ${steps} commands in ${seconds} s; ${violations} violations; ` +
    `${partial} scenarios were not explored to the end.\n`,
);
client.destroy();
process.exitCode = violations === 0 ? 0 : 1;
