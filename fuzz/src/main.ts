/** `npm run fuzz [-- --seconds 60 --seed 1]`: fuzzes the decoder (keeping what finds new code) and the command surface. */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { randomFrom } from '@redkeep/testing';
import { fuzzCommands } from './commands.js';
import { fuzzDecoder } from './decoder.js';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, seed: { type: 'string', default: String(Date.now() >>> 0) } },
});
const half = (Number(values.seconds) * 1000) / 2;
const random = randomFrom(Number(values.seed));
const timed = (ms: number) => {
  const end = performance.now() + ms;
  return () => performance.now() >= end;
};

console.error(`seed ${values.seed}`);
const decoder = await fuzzDecoder({
  random,
  until: timed(half),
  corpusFolder: fileURLToPath(new URL('../corpus/', import.meta.url)),
});
console.error(`decoder: ${decoder.inputs} inputs, ${decoder.refused} refused, corpus of ${decoder.corpus}`);
const commands = fuzzCommands({ random, until: timed(half) });
console.error(`commands: ${commands.calls} calls of ${commands.commands} commands, ${commands.refused} refused`);
