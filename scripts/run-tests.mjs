#!/usr/bin/env node
// Runs the built tests with Node's own runner: all of them, or those whose path contains one of the arguments.
//   node scripts/run-tests.mjs client/src/protocol session --name "encrypts" --reporter tap
import { existsSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { run } from 'node:test';
import { dot, junit, spec as Spec, tap } from 'node:test/reporters';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { REPOSITORY } from './bootstrap.mjs';
import { EXIT, runMain, StepFailed } from './lib/step.mjs';

// Test files run in processes of their own. Three at a time: most of them wait for servers, and timing gets noisy beyond that.
const CONCURRENCY = 3;
// For one file: far beyond the slowest, so that a hanging one fails instead of holding up everything.
const FILE_TIMEOUT = 10 * 60_000;

const REPORTERS = { spec: () => new Spec(), tap: () => tap, dot: () => dot, junit: () => junit };

/** Runs the tests and gives the exit code. Node's runner prints its summary last. */
export async function runTests(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { name: { type: 'string' }, reporter: { type: 'string', default: 'spec' } },
  });
  const report = REPORTERS[values.reporter]?.();
  if (!report)
    throw new StepFailed(`Unknown reporter ${values.reporter}: ${Object.keys(REPORTERS).join(', ')}.`, EXIT.usage);
  const files = testFiles().filter(
    (file) => positionals.length === 0 || positionals.some((part) => file.source.includes(part)),
  );
  if (files.length === 0) throw new StepFailed(`No test file matches: ${positionals.join(' ')}`, EXIT.usage);

  const counts = { passed: 0, failed: 0 };
  const stream = run({
    files: files.map((file) => file.built),
    concurrency: CONCURRENCY,
    timeout: FILE_TIMEOUT,
    ...(values.name ? { testNamePatterns: [values.name] } : {}),
  });
  stream.on('test:pass', (event) => {
    if (isTest(event)) counts.passed += 1;
  });
  stream.on('test:fail', () => {
    counts.failed += 1;
  });
  for await (const text of stream.compose(report)) process.stdout.write(text);
  if (counts.failed > 0) return EXIT.failed;
  if (counts.passed === 0) throw new StepFailed('No test ran.', EXIT.failed);
  return EXIT.ok;
}

/** A suite is not a test, a skipped test has not run, and Node 20 counts a file without tests as one that passed. */
function isTest({ name, details, skip }) {
  return details?.type !== 'suite' && skip === undefined && !name.endsWith('.test.js');
}

/** Built tests whose source still exists: what was deleted or renamed leaves its build behind. */
function testFiles() {
  const packages = readdirSync(join(REPOSITORY, 'packages')).map((name) => join('packages', name));
  return [...packages, 'testing', 'bench', 'fuzz', 'chaos', 'compat', 'examples', 'journeys', 'site']
    .flatMap((folder) => filesBelow(join(REPOSITORY, folder, 'dist')))
    .filter((path) => path.endsWith('.test.js'))
    .map((built) => {
      const parts = relative(REPOSITORY, built).split(sep);
      parts[parts.lastIndexOf('dist')] = 'src';
      return { built, source: parts.join('/').replace(/\.js$/, '.ts') };
    })
    .filter(({ source }) => existsSync(join(REPOSITORY, source)))
    .sort((a, b) => (a.source < b.source ? -1 : 1));
}

function filesBelow(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) await runMain(runTests);
