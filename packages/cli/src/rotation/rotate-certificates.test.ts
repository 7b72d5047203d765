/** Certificates and the CA replaced on a real Sentinel set while an application works. */
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '@redkeep/testing';
import { createClient, createSentinel, type RedisClient } from 'redkeep';
import type { Deployment } from '../deployment/model.js';
import { probeTls } from '../engine/probe-tls.js';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';

const full = process.env['REDKEEP_ROTATION'] === 'full';

describe('redkeep rotate certificates and ca', () => {
  let sandbox: CliSandbox;
  let deployment: Deployment;
  const stop = new AbortController();
  let load: Promise<void>[] = [];
  let commands = 0;
  const failures: string[] = [];
  let client: { destroy(): unknown };

  const file = (name: string) => sandbox.path('redkeep', name);
  const text = (name: string) => readFile(file(name), 'utf8');
  const tls = () => ({
    caFile: file(deployment.caFile),
    certFile: file('pki/clients/app.crt'),
    keyFile: file('pki/clients/app.key'),
  });
  const served = async () => {
    const files = {
      ca: await text(deployment.caFile),
      cert: await text('pki/clients/app.crt'),
      key: await text('pki/clients/app.key'),
    };
    return Promise.all(
      deployment.nodes.map(
        async ({ host, port }) => (await probeTls({ host, port, ...files }, 5000)).certificate.fingerprint256,
      ),
    );
  };
  const onDisk = () =>
    Promise.all(
      deployment.nodes.map(async ({ name }) => new X509Certificate(await text(`pki/${name}.crt`)).fingerprint256),
    );

  before(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    const args = ['--profile', 'production', '--topology', 'sentinel', '--port', port, '--app', 'app=app:*'];
    assert.equal((await sandbox.run(['init', '--yes', ...args])).code, 0);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    ({ deployment } = await openDeployment(sandbox));
    const password = (await text('secrets/app.password')).trim();
    const sentinel = createSentinel({
      name: deployment.sentinel!.primaryName,
      sentinelRootNodes: deployment.nodes
        .filter(({ role }) => role === 'sentinel')
        .map(({ host, port: at }) => ({ host, port: at })),
      nodeClientOptions: { tls: tls(), username: 'app', password },
      sentinelClientOptions: { tls: tls(), username: 'app', password },
    });
    sentinel.on('error', () => undefined);
    await sentinel.connect();
    client = sentinel;
    const worker = async (work: () => Promise<unknown>) => {
      while (!stop.signal.aborted) {
        await work().catch((error: Error) => failures.push(`${error.name} ${error.message}`));
        commands += 1;
        await delay(5);
      }
    };
    load = Array.from({ length: full ? 100 : 10 }, (_, index) =>
      worker(() => sentinel.set(`app:${index}`, String(commands))),
    );
    // An application that connects anew with the files as they are.
    load.push(
      worker(async () => {
        const { host, port: at } = deployment.nodes[0]!;
        const short: RedisClient = createClient({
          socket: { host, port: at, reconnectStrategy: false },
          tls: tls(),
          username: 'app',
          password,
        });
        short.on('error', () => undefined);
        await short.connect();
        short.destroy();
        await delay(50);
      }),
    );
  });
  after(async () => {
    stop.abort();
    await Promise.all(load);
    await client?.destroy();
    await sandbox.remove();
  });

  test('serves new certificates on every node and refuses no client', async () => {
    const before = await served();
    const result = await sandbox.run(['rotate', 'certificates', '--all', '--yes']);
    assert.equal(result.code, 0, result.err);
    const now = await served();
    assert.deepEqual(now, await onDisk());
    for (const [index, fingerprint] of now.entries()) assert.notEqual(fingerprint, before[index]);
    assert.deepEqual(failures, []);
  });

  test('puts certificates and the CA back as they were when a rotation is taken back', async () => {
    const names = [deployment.caFile, deployment.clientCaFile, deployment.caKeyFile, 'pki/clients/app.crt'];
    const texts = async () => Promise.all(names.map(text));
    const before = { served: await served(), texts: await texts() };
    const cuts = [
      ['certificates', 'have servers take them', '--all'],
      ...(full ? ['make the new CA', 'trust both', 'sign with the new CA', 'issue node-2'] : []).map((at) => [
        'ca',
        at,
      ]),
      ['ca', 'wait until clients have new certificates'],
    ];
    for (const [kind, at, ...rest] of cuts) {
      const grace = kind === 'ca' ? ['--grace', '0'] : [];
      const kill = new AbortController();
      const cut = await sandbox.run(['rotate', kind!, '--yes', '--verbose', ...grace, ...rest], {
        signal: kill.signal,
        onText: (line) => {
          if (line.includes(`  ${at}`)) kill.abort();
        },
      });
      assert.equal(cut.code, 130, `${at}: ${cut.err.slice(-500)}`);
      const result = await sandbox.run(['rotate', kind!, '--abort', ...grace]);
      assert.equal(result.code, 0, `${at}: ${result.err}`);
      assert.deepEqual(await texts(), before.texts, at);
      assert.deepEqual(await served(), before.served, at);
      assert.equal((await sandbox.run(['rotate', kind!, '--abort', ...grace])).code, 2, 'nothing is left to take back');
    }
    assert.deepEqual(failures, []);
    assert.equal((await sandbox.run(['rotate', 'status'])).code, 0);
  });

  test('replaces the CA, resumed after kills, and has the old one refused', async () => {
    const old = {
      ca: await text(deployment.caFile),
      cert: await text('pki/clients/app.crt'),
      key: await text('pki/clients/app.key'),
    };
    const stops = [
      'make the new CA',
      'trust both',
      'sign with the new CA',
      'issue node-2',
      'trust the new CA only',
      'prove it',
    ];
    for (const at of full ? stops : ['sign with the new CA', 'issue node-2']) {
      const kill = new AbortController();
      const cut = await sandbox.run(['rotate', 'ca', '--grace', '0', '--yes', '--verbose'], {
        signal: kill.signal,
        onText: (line) => {
          if (line.includes(`  ${at}`)) kill.abort();
        },
      });
      assert.equal(cut.code, 130, `${at}: ${cut.err.slice(-500)}`);
    }
    const result = await sandbox.run(['rotate', 'ca', '--grace', '0', '--yes']);
    assert.equal(result.code, 0, result.err);
    assert.deepEqual(await served(), await onDisk());
    const ca = await text(deployment.caFile);
    assert.equal(ca.match(/BEGIN CERTIFICATE/g)!.length, 1);
    assert.notEqual(new X509Certificate(ca).fingerprint256, new X509Certificate(old.ca).fingerprint256);
    for (const { host, port } of deployment.nodes) await assert.rejects(probeTls({ host, port, ...old }, 5000));
    assert.deepEqual(failures, []);
    assert.ok(commands > 100, `${commands} commands`);
    assert.equal((await sandbox.run(['rotate', 'status'])).code, 0);
    assert.equal((await sandbox.run(['certs', 'check'])).code, 0);
  });
});
