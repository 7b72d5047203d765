#!/usr/bin/env node
// From a fresh clone to a hardened server that is running, used and audited: `npm run quickstart`. Each step is the
// command that a user would type; each is safe to repeat, and safe to interrupt.
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { bootstrap, REPOSITORY } from './bootstrap.mjs';
import { run, runMain, say } from './lib/step.mjs';

await runMain(async ([name = 'redkeep-quickstart']) => {
  const folder = resolve(REPOSITORY, name);
  const shown = relative(process.cwd(), folder) || '.';
  const engine = await bootstrap();
  const node = (program, args) =>
    run(process.execPath, [join(REPOSITORY, program), ...args], {
      cwd: process.cwd(),
      env: { REDKEEP_SERVER: engine.server },
      exitCode: 'same',
    });
  const redkeep = (...args) => {
    say(`redkeep ${args.join(' ')} --dir ${shown}`);
    return node('packages/cli/bin/redkeep.js', [...args, '--dir', folder]);
  };

  const description = join(folder, 'redkeep.deployment.json');
  if (existsSync(description)) say(`${shown} holds a deployment already: it is used as it is`);
  else await redkeep('init', '--yes');
  await redkeep('up', '--detach');
  say(`A sample application: node examples/dist/quickstart/app.js ${shown}`);
  await node('examples/dist/quickstart/app.js', [folder]);
  await redkeep('audit', '--output', shown);

  const { deployment } = JSON.parse(readFileSync(description, 'utf8'));
  const { host, port } = deployment.nodes[0];
  const user = deployment.users.find(({ role }) => role === 'application');
  const at = (path) => join(shown, path);
  console.log(`
The hardened server is running in the background.
  connect   rediss://${host}:${port}, user ${user.name}
            CA ${at('pki/ca.crt')}, password in ${at(user.passwordFile)}
  report    ${at('report.html')}, ${at('report.json')}
  reasons   ${at('DECISIONS.md')}
  stop it   npx redkeep down --dir ${shown}`);
});
