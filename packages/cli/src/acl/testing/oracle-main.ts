// `npm run oracle -- 10000`: users made at random, what was computed for them against what each server says.
import { parseArgs } from 'node:util';
import { findEngines } from '@redkeep/testing';
import { askOracle } from './oracle.js';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seed: { type: 'string', default: '1' }, run: { type: 'string', default: '20' } },
});
const count = Number(positionals[0] ?? 200);
const engines = findEngines().filter(({ name }) => positionals.length < 2 || positionals.slice(1).includes(name));
for (const engine of engines) {
  const started = performance.now();
  const { users, calls, run, disagreements } = await askOracle(engine, count, Number(values.seed), Number(values.run));
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.error(
    `${engine.name}: ${users} users, ${calls} calls asked, ${run} commands run, ${disagreements.length} disagreements, ${seconds} s`,
  );
  for (const one of disagreements.slice(0, 20)) console.error(JSON.stringify(one));
  if (disagreements.length > 0) process.exitCode = 1;
}
