#!/usr/bin/env node
// `npm test`: everything that has to hold before a change is merged. Arguments choose tests, as in run-tests.mjs;
// then only those run.
import { bootstrap, REPOSITORY, tool } from './bootstrap.mjs';
import { ensureBrowser } from './ensure-browser.mjs';
import { ensurePrometheus } from './ensure-prometheus.mjs';
import { run, runMain, say } from './lib/step.mjs';

await runMain(async (args) => {
  await bootstrap();
  if (args.length === 0) {
    say('Linting (biome)');
    await run(tool('biome'), ['check', '--diagnostic-level=error', '.'], { cwd: REPOSITORY, exitCode: 'same' });
    say('Checking the structure: circles, one definition of each word');
    // Loaded here, because a fresh clone has no parser before `bootstrap` has installed it.
    const { checkStructure } = await import('./check-structure.mjs');
    await checkStructure();
    say('Checking what would be published');
    const { checkPackages } = await import('./check-packages.mjs');
    await checkPackages();
  }
  const { ensureTestedEngines } = await import('./engines/ensure.mjs');
  await ensureTestedEngines();
  await ensureBrowser();
  await ensurePrometheus();
  say('Testing');
  const { runTests } = await import('./run-tests.mjs');
  return runTests(args);
});
