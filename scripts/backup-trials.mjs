#!/usr/bin/env node
import * as trials from '../packages/cli/dist/backup/testing/trials.js';
// `npm run chaos:backup`: the promises of docs/backup.md under kills, cuts and damage, on every engine here, with
// figures. The short form is packages/cli/src/backup/trials.test.ts. Arguments name engines or trials.
import { findEngines } from '../testing/dist/index.js';

const ENGINES = ['redis-7.0', 'redis-8.0', 'valkey-8.0', 'valkey-9'];
const wanted = process.argv.slice(2);
const engines = findEngines().filter(({ name }) => ENGINES.includes(name));
const named = (names) => names.filter((name) => wanted.length === 0 || wanted.includes(name));
const chosen = named(engines.map(({ name }) => name));
const run = (trial) => !wanted.some((word) => TRIALS.includes(word)) || wanted.includes(trial);
const TRIALS = ['server', 'archiver', 'seconds', 'cuts', 'damage'];
const percentile = (values, share) => [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? 0;
let failed = false;

function say(engine, what, goal, met, figures) {
  if (!met) failed = true;
  console.log(
    `${met ? 'met   ' : 'MISSED'}  ${engine.name.padEnd(10)}  ${what.padEnd(30)}  ${figures}  (goal: ${goal})`,
  );
}

for (const engine of engines.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) {
  if (run('server')) {
    const losses = [];
    for (let kill = 0; kill < 50; kill++) losses.push(await trials.killServer(engine));
    const ms = losses.map(({ lostMs }) => lostMs);
    const figures = `p99 ${percentile(ms, 0.99)} ms, most ${Math.max(...losses.map(({ lostWrites }) => lostWrites))} writes`;
    say(engine, '50 kills of the server', 'p99 at most 2000 ms', percentile(ms, 0.99) <= 2000, figures);
  }
  if (run('archiver')) {
    const { kills, gaps, fullSyncs, digestEqual, writes } = await trials.killArchiver(engine, 50);
    const figures = `${gaps} gaps, ${fullSyncs} full sync, digest ${digestEqual ? 'equal' : 'DIFFERENT'} after ${writes} writes`;
    say(engine, `${kills} kills of the archiver`, '0 gaps, digest equal', gaps === 0 && digestEqual, figures);
  }
  if (run('seconds')) {
    const { seconds, exact, widestMs } = await trials.restoreSeconds(engine, 60_000, 100);
    say(
      engine,
      'random seconds restored',
      'all exact',
      exact === seconds,
      `${exact} of ${seconds} exact, widest ${widestMs} ms`,
    );
  }
  if (run('cuts')) {
    const trial = await trials.cutShards(engine, 100);
    const p99 = percentile(trial.pausesMs, 0.99);
    const met = trial.widestSkew <= 1 && trial.effectsWithoutCause === 0 && p99 < 10 && trial.oneMoment === trial.cuts;
    const figures = `${trial.oneMoment} of ${trial.cuts} of one moment, skew ${trial.widestSkew}, pause p50 ${percentile(trial.pausesMs, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
    say(engine, 'cuts over three primaries', 'skew 0 to 1, p99 under 10 ms', met, figures);
  }
  if (run('damage')) {
    const { tried, found, missed } = await trials.damageStore(engine, 1000);
    say(engine, 'damages of the store', 'all found', missed.length === 0, `${found} of ${tried} found`);
    for (const what of missed) console.log(`        missed: ${what}`);
  }
}
process.exit(failed ? 1 : 0);
