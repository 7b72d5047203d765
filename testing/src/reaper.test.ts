import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { waitFor } from './wait-for.js';

const PROGRAM = `
  import { startServer } from ${JSON.stringify(new URL('./index.js', import.meta.url).href)};
  const server = await startServer();
  console.log(JSON.stringify({ pid: server.pid, dir: server.dir }));
`;

for (const [name, ending] of [
  ['ends by itself without stopping its server', ''],
  ['is killed hard', 'setInterval(() => {}, 1000);'],
] as const) {
  test(`nothing is left behind when the process ${name}`, async () => {
    const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM + ending], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const { pid, dir } = JSON.parse(line.toString()) as { pid: number; dir: string };
    if (ending) {
      assert.ok(isAlive(pid));
      assert.ok(existsSync(dir));
      child.kill('SIGKILL');
    }
    await waitFor(() => !isAlive(pid), { message: 'the server to end' });
    await waitFor(() => !existsSync(dir), { message: 'its folder to go' });
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
