/** The short form of `npm run fuzz`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { randomFrom } from '@redkeep/testing';
import { fuzzCommands } from './commands.js';
import { check, fuzzDecoder } from './decoder.js';

const corpusFolder = fileURLToPath(new URL('../corpus/', import.meta.url));

test('the decoder decodes or refuses every input of the kept corpus, however it is cut', () => {
  const random = randomFrom(1);
  const files = readdirSync(corpusFolder);
  assert.ok(files.length > 20);
  for (const file of files) check(readFileSync(`${corpusFolder}${file}`), random);
});

test('the decoder decodes or refuses mutated input, however it is cut', async () => {
  const seed = Date.now() >>> 0;
  const report = await fuzzDecoder({ random: randomFrom(seed), until: (inputs) => inputs >= 3000 });
  assert.ok(report.refused > 100 && report.refused < report.inputs, `seed ${seed}: ${JSON.stringify(report)}`);
});

test('no command function lets a value become another argument or another command', () => {
  const seed = Date.now() >>> 0;
  const report = fuzzCommands({ random: randomFrom(seed), until: (calls) => calls >= 30_000 });
  assert.ok(report.refused < report.calls && report.refused > 1000, `seed ${seed}: ${JSON.stringify(report)}`);
});
