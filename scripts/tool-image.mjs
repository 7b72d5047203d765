#!/usr/bin/env node
// `npm run image [-- NAME]`: packs the packages, installs them into a folder as npm would for a user, and builds an image
// with the command redkeep from it, with podman or docker. REDKEEP_NODE_IMAGE names the base, which needs Node.js alone.
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isInPath } from './lib/package-manager.mjs';
import { EXIT, runMain, StepFailed, say } from './lib/step.mjs';

const exec = promisify(execFile);
const repository = fileURLToPath(new URL('..', import.meta.url));
const packed = ['redkeep', '@redkeep/guard', '@redkeep/cli'];

await runMain(async ([name = 'localhost/redkeep']) => {
  const engine = ['podman', 'docker'].find(isInPath);
  if (!engine) throw new StepFailed('Neither podman nor docker was found.', EXIT.environment);
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-image-'));
  try {
    const [packages, app] = [join(folder, 'packages'), join(folder, 'app')];
    await mkdir(packages);
    await mkdir(app);
    say('Packing');
    const workspaces = packed.flatMap((each) => ['--workspace', each]);
    await exec('npm', ['pack', ...workspaces, '--pack-destination', packages], { cwd: repository });
    const files = (await readdir(packages)).map((file) => join(packages, file));
    await exec('npm', [
      'install',
      '--prefix',
      app,
      '--omit=dev',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      ...files,
    ]);
    await rm(join(app, 'package.json'));
    await rm(join(app, 'package-lock.json'), { force: true });
    await cp(join(repository, 'scripts/Containerfile'), join(folder, 'Containerfile'));
    // Readable for whoever the container runs as.
    await exec('chmod', ['-R', 'a+rX', app]);
    await chmod(folder, 0o755);
    say(`Building ${name} with ${engine}`);
    const base = process.env.REDKEEP_NODE_IMAGE;
    const args = base ? ['--build-arg', `NODE=${base}`] : [];
    await exec(engine, ['build', ...args, '--tag', name, '--file', join(folder, 'Containerfile'), folder], {
      maxBuffer: 1 << 26,
    });
    const { stdout } = await exec(engine, [
      'run',
      '--rm',
      '--read-only',
      '--cap-drop',
      'ALL',
      '--network',
      'none',
      name,
      'version',
    ]);
    console.log(`${name}: ${stdout.trim()}`);
    return EXIT.ok;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
