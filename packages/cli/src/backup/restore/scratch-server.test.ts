import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { hostname } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { freePort, waitFor } from '@redkeep/testing';
import { dataNodes } from '../../deployment/model.js';
import type { ProcessRecord } from '../../engine/process-record.js';
import { runRedkeep } from '../../testing/killed-redkeep.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';
import { ScratchFolder } from './scratch-folder.js';

const signals = ['SIGKILL', 'SIGTERM', 'SIGINT'] as const;

describe('a scratch server and its decrypted data', () => {
  let sandbox: CliSandbox;
  const store = ['--store', 'store', '--identity', 'identity.txt', '--server', 'slow-server'];
  const commands = {
    'backup prove': ['backup', 'prove', ...store, '--source', 'redkeep'],
    'restore --into': ['restore', ...store, '--source', 'redkeep', '--into', 'redkeep', '--yes'],
  };

  before(async () => {
    sandbox = await CliSandbox.create();
    await mkdir(sandbox.path('tmp'));
    assert.equal((await sandbox.run(['init', '--yes', '--port', String(await freePort())])).code, 0);
    const up = await sandbox.run(['up', '--detach']);
    assert.equal(up.code, 0, up.err);
    const { deployment, connect: open } = await openDeployment(sandbox);
    const admin = await open('admin');
    await admin.configSet('repl-diskless-sync-delay', '0');
    for (let key = 0; key < 300; key++) await admin.set(`key:${key}`, 'x'.repeat(200));
    const recipient = (await sandbox.run(['backup', 'key', 'new', 'identity.txt'])).out.trim();
    const run = await sandbox.run(['backup', 'run', '--store', 'store', '--recipient', recipient]);
    assert.equal(run.code, 0, run.err);
    admin.destroy();
    // Takes long to load, so that it is there to be looked at.
    const record = await readFile(sandbox.path('redkeep', 'run', `${dataNodes(deployment)[0]!.name}.json`), 'utf8');
    const { program } = JSON.parse(record) as ProcessRecord;
    const options = '--key-load-delay 100000 --loading-process-events-interval-bytes 1024';
    const script = `#!/bin/sh\n[ "$1" = --version ] && exec '${program}' --version\nexec '${program}' "$@" ${options}\n`;
    await writeFile(sandbox.path('slow-server'), script);
    await chmod(sandbox.path('slow-server'), 0o700);
  });
  after(() => sandbox.remove());

  const left = () => readdir(sandbox.path('tmp'));

  /** A connection to the scratch server while it loads; the system closes it when the server ends. */
  async function loadingServer(): Promise<Socket> {
    let found: Socket | undefined;
    await waitFor(
      async () => {
        for (const name of await left()) {
          const socket = connect(path.join(sandbox.path('tmp'), name, 's'));
          const [connected] = await Promise.allSettled([once(socket, 'connect')]);
          if (connected.status === 'fulfilled') found = socket;
        }
        return found;
      },
      { timeout: 60_000, message: 'a scratch server' },
    );
    return found!;
  }

  /** Whether the system ends it in order or resets it. */
  const closed = (socket: Socket) =>
    new Promise<void>((resolve) => {
      socket.on('error', () => undefined).once('close', resolve);
      socket.resume();
    });

  for (const [name, args] of Object.entries(commands)) {
    for (const signal of signals) {
      test(`of "${name}" are gone after ${signal}`, async () => {
        let ended: Promise<unknown> | undefined;
        const run = await runRedkeep(sandbox, args, { TMPDIR: sandbox.path('tmp') }, (child) => {
          void loadingServer().then((server) => {
            ended = closed(server);
            child.kill(signal);
          });
        });
        assert.equal(run.signal, signal === 'SIGKILL' ? signal : null, run.err);
        assert.ok(ended, 'it loaded');
        await ended;
        await waitFor(async () => (await left()).length === 0, { message: 'no folder' });
      });
    }
  }

  test('are removed by the next one where the machine went down, and nothing else is', async () => {
    const gone = spawn('true');
    await once(gone, 'exit');
    const make = async (name: string, owner: unknown) => {
      await mkdir(sandbox.path('work', name), { recursive: true });
      await writeFile(sandbox.path('work', name, 'dump.rdb'), 'data');
      if (owner) await writeFile(sandbox.path('work', name, '.owner'), JSON.stringify(owner));
    };
    const dead = { pid: gone.pid, startMark: '1', host: hostname() };
    await make('redkeep-scratch-dead', dead);
    await make('redkeep-scratch-reused-pid', { ...dead, pid: process.pid });
    await make('redkeep-scratch-elsewhere', { ...dead, host: 'another' });
    await make('redkeep-scratch-nobody', undefined);
    await make('others', dead);
    const running = await ScratchFolder.in(sandbox.path('work'));
    const next = await ScratchFolder.in(sandbox.path('work'));
    await next.remove();
    assert.deepEqual(
      await readdir(sandbox.path('work')),
      ['others', path.basename(running.path), 'redkeep-scratch-elsewhere', 'redkeep-scratch-nobody'].sort(),
    );
    await running.remove();
  });

  test('a restore to a folder that is killed leaves nothing beside it', async () => {
    const out = sandbox.path('outs', 'out');
    const files = async () => (await readdir(sandbox.path('outs'), { recursive: true }).catch(() => [])).length;
    const { signal } = await runRedkeep(
      sandbox,
      ['restore', ...store.slice(0, 4), '--source', 'redkeep', '--out', out],
      {},
      (child) => {
        void waitFor(async () => (await files()) > 1, { timeout: 60_000, interval: 1 }).then(() =>
          child.kill('SIGKILL'),
        );
      },
    );
    assert.equal(signal, 'SIGKILL');
    await waitFor(async () => (await files()) === 0, { message: 'no folder' });
  });
});
