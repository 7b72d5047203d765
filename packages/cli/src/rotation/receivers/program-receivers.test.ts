/** Receivers that run a program. kubectl is a stand-in that keeps to kubectl's contract; `npm run test:rotation` uses podman for real. */
import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runProgram } from '../../apply/targets/run-program.js';
import type { LoadedDeployment } from '../../deployment/loaded-deployment.js';
import type { SecretHandover, SecretReceiver } from '../secret-receivers.js';
import { commandReceiver } from './command-receiver.js';
import { containerReceiver } from './container-receiver.js';
import { kubernetesReceiver } from './kubernetes-receiver.js';

const loaded = { deployment: { name: 'shop' } } as unknown as LoadedDeployment;
const put = (receiver: SecretReceiver, password: string, stage: SecretHandover['stage']) =>
  receiver.put({ loaded, user: 'app', password, stage });

/** What server-side apply does with one Secret: an entry stays while a manager has it, and goes with its last one. */
const kubectl = `#!${process.execPath}
const fs = require('node:fs');
const file = __dirname + '/secret.json';
const args = process.argv.slice(2);
fs.appendFileSync(__dirname + '/args', args.join(' ') + '\\n');
if (!args.includes('apply') || !args.includes('--server-side') || args.at(-1) !== '-') process.exit(1);
const manager = args[args.indexOf('--field-manager') + 1];
const { data } = JSON.parse(fs.readFileSync(0, 'utf8'));
const { entries, managers } = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : { entries: {}, managers: {} };
const had = managers[manager] ?? [];
managers[manager] = Object.keys(data);
Object.assign(entries, data);
for (const name of had) if (!Object.values(managers).flat().includes(name)) delete entries[name];
fs.writeFileSync(file, JSON.stringify({ entries, managers }));
`;

describe('receivers that run a program', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'redkeep-receivers-'));
    await writeFile(path.join(folder, 'kubectl'), kubectl);
    await chmod(path.join(folder, 'kubectl'), 0o755);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('a Kubernetes Secret has both values while one is to come, and other entries stay', async () => {
    const receiver = kubernetesReceiver({
      namespace: 'shop',
      secret: 'redis',
      kubectl: path.join(folder, 'kubectl'),
      timeoutMs: 10_000,
    });
    const file = path.join(folder, 'secret.json');
    const read = async () =>
      JSON.parse(await readFile(file, 'utf8')) as { entries: Record<string, string>; managers: object };
    const data = async () => (await read()).entries;
    const base64 = (text: string) => Buffer.from(text).toString('base64');
    await put(receiver, 'first-password', 'current');
    const { entries, managers } = await read();
    await writeFile(
      file,
      JSON.stringify({ entries: { ...entries, 'ca.crt': 'theirs' }, managers: { ...managers, others: ['ca.crt'] } }),
    );
    for (let turn = 0; turn < 2; turn += 1) await put(receiver, 'next-password', 'pending');
    assert.deepEqual(await data(), {
      app: base64('first-password'),
      'app.next': base64('next-password'),
      'ca.crt': 'theirs',
    });
    for (let turn = 0; turn < 2; turn += 1) await put(receiver, 'next-password', 'current');
    assert.deepEqual(await data(), { app: base64('next-password'), 'ca.crt': 'theirs' });
    assert.doesNotMatch(await readFile(path.join(folder, 'args'), 'utf8'), /password|[A-Za-z0-9+/]{16}=/);
  });

  test('a program that hangs, and does not listen to SIGTERM, is ended, and one that fails is named', async () => {
    const hang = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)";
    const hanging = put(commandReceiver(process.execPath, ['-e', hang], 500), 'the-password', 'pending');
    await assert.rejects(hanging, (error: Error) => {
      assert.match(error.message, /within 0\.5 s/);
      assert.doesNotMatch(`${error.message}${error.stack}`, /the-password/);
      return true;
    });
    const failing = put(commandReceiver(process.execPath, ['-e', 'process.exit(3)'], 10_000), 'p', 'current');
    await assert.rejects(failing, /did not take the new password/);
    await assert.rejects(put(commandReceiver(path.join(folder, 'none'), [], 10_000), 'p', 'current'), /did not take/);
  });

  if (process.env['REDKEEP_ROTATION'] === 'full')
    test('each password is a secret of podman of its own', async () => {
      const receiver = containerReceiver('podman', 'redkeep-test', 60_000);
      const names = async () => {
        const { stdout } = await runProgram('podman', ['secret', 'ls', '--format', '{{.Name}}']);
        return stdout.split('\n').filter((name) => name.startsWith('redkeep-test-app-'));
      };
      try {
        for (const password of ['one', 'one', 'two']) await put(receiver, password, 'pending');
        await put(receiver, 'two', 'current');
        assert.equal((await names()).length, 2);
      } finally {
        for (const name of await names()) await runProgram('podman', ['secret', 'rm', name]);
      }
    });
});
