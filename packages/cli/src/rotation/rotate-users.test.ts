/** Rotations on a real Sentinel set under load, killed at steps, with a straggler, aborted, and in an emergency. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort, waitFor } from '@redkeep/testing';
import { createClient, createSentinel, fromFile, type RedisClient } from 'redkeep';
import type { Deployment } from '../deployment/model.js';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';

/** `npm run test:rotation`: 200 callers without a pause, a kill at every step, 20 rotations. */
const full = process.env['REDKEEP_ROTATION'] === 'full';
const users = ['admin', 'monitoring', 'auditor', 'backup', 'replication', 'sentinel', 'app'];

describe('redkeep rotate users on three nodes and three sentinels', () => {
  let sandbox: CliSandbox;
  let deployment: Deployment;
  const stop = new AbortController();
  let load: Promise<void>[] = [];
  let commands = 0;
  const failures: string[] = [];
  let steps = 0;
  /** Steps are told one a line, indented. */
  const isStep = (line: string) => /^ {2}\S/.test(line);
  const closing: { destroy(): unknown }[] = [];

  const file = (...parts: string[]) => sandbox.path('redkeep', ...parts);
  const password = async (user: string) => (await readFile(file(`secrets/${user}.password`), 'utf8')).trim();
  const rotate = (...args: string[]) =>
    sandbox.run(['rotate', 'users', '--yes', '--grace', '1', '--watch', '1', ...args]);
  const tls = () => ({
    caFile: file(deployment.caFile),
    certFile: file('pki/clients/app.crt'),
    keyFile: file('pki/clients/app.key'),
  });
  async function takes(user: string, secret: string): Promise<boolean[]> {
    return Promise.all(
      deployment.nodes
        .filter(({ role }) => role !== 'sentinel' || !['backup', 'replication'].includes(user))
        .map(async ({ host, port }) => {
          const client = createClient({
            socket: { host, port, reconnectStrategy: false },
            tls: tls(),
            username: user,
            password: secret,
          });
          client.on('error', () => undefined);
          const accepted = await client.connect().then(
            () => true,
            () => false,
          );
          if (client.isOpen) client.destroy();
          return accepted;
        }),
    );
  }
  const all = (answers: readonly boolean[], wanted: boolean) =>
    answers.length > 0 && answers.every((answer) => answer === wanted);

  before(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    const args = ['--profile', 'production', '--topology', 'sentinel', '--port', port, '--app', 'app=app:*'];
    assert.equal((await sandbox.run(['init', '--yes', ...args])).code, 0);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    ({ deployment } = await openDeployment(sandbox));
    const source = () => fromFile({ username: 'app', password: file('secrets/app.password') });
    const client = createSentinel({
      name: deployment.sentinel!.primaryName,
      sentinelRootNodes: deployment.nodes
        .filter(({ role }) => role === 'sentinel')
        .map(({ host, port: sentinelPort }) => ({ host, port: sentinelPort })),
      nodeClientOptions: { tls: tls(), credentialsProvider: source() },
      sentinelClientOptions: { tls: tls(), credentialsProvider: source() },
      masterPoolSize: 4,
    });
    client.on('error', () => undefined);
    await client.connect();
    closing.push(client);
    const worker = async (work: () => Promise<unknown>) => {
      while (!stop.signal.aborted) {
        await work().catch((error: Error) => failures.push(`${error.name} ${error.message}`));
        commands += 1;
        if (!full) await delay(5);
      }
    };
    load = Array.from({ length: full ? 200 : 20 }, (_, index) =>
      worker(() => client.set(`app:${index}`, String(commands))),
    );
    // Applications that connect anew all the time, with what their secret file says.
    const reconnect = async () => {
      const primary = deployment.nodes[0]!;
      const short = createClient({
        socket: { host: primary.host, port: primary.port, reconnectStrategy: false },
        tls: tls(),
        username: 'app',
        password: await password('app'),
      });
      short.on('error', () => undefined);
      await short.connect();
      await short.get('app:1');
      short.destroy();
      await delay(20);
    };
    load.push(worker(reconnect));
  });
  after(async () => {
    stop.abort();
    await Promise.all(load);
    for (const client of closing) await client.destroy();
    await sandbox.remove();
  });

  test('gives every user a new password on every node, refuses no working client and raises no alert', async () => {
    const old = new Map<string, string>();
    for (const user of users) old.set(user, await password(user));
    assert.equal((await sandbox.run(['monitor', '--once'])).code, 0);
    const done = commands;
    for (let turn = 0; turn < (full ? 20 : 1); turn += 1) {
      const result = await rotate('--all', '--verbose');
      assert.equal(result.code, 0, result.err);
      steps = `${result.out}\n${result.err}`.split('\n').filter((line) => isStep(line)).length;
    }
    // The monitor knows a rotation of redkeep's own from an attack.
    const watched = await sandbox.run(['monitor', '--once']);
    assert.equal(watched.out, '');
    assert.equal(watched.code, 0);
    for (const user of users) {
      const now = await password(user);
      assert.notEqual(now, old.get(user));
      assert.ok(all(await takes(user, now), true), `${user} with the new`);
      assert.ok(all(await takes(user, old.get(user)!), false), `${user} with the old`);
      assert.equal((await stat(file(`secrets/${user}.password`))).mode & 0o777, 0o600);
    }
    assert.ok(commands > done + 100, `${commands - done} commands`);
    assert.deepEqual(failures, []);
    const { rotations } = JSON.parse(await readFile(file('records.json'), 'utf8'));
    assert.deepEqual(Object.keys(rotations).sort(), [...users].sort());
  });

  test('ends in the same state when it was killed at any step', async () => {
    assert.ok(steps > 20, `${steps} steps`);
    const indexes = Array.from({ length: steps - 1 }, (_, index) => index);
    // A few of them here, spread over all; npm run test:rotation kills at each.
    const chosen = full ? indexes : indexes.filter((index) => index % 25 === 9);
    for (const index of chosen) {
      const before = await password('app');
      const kill = new AbortController();
      let seen = 0;
      const cut = await sandbox.run(
        ['rotate', 'users', 'app', 'replication', 'sentinel', '--yes', '--grace', '0', '--watch', '0', '--verbose'],
        {
          signal: kill.signal,
          onText: (text) => {
            for (const line of text.split('\n')) if (isStep(line) && seen++ === index) kill.abort();
          },
        },
      );
      assert.equal(cut.code, 130, `step ${index}: ${cut.err.slice(-500)}`);
      const resumed = await sandbox.run(['rotate', 'users', '--grace', '0', '--watch', '0']);
      assert.equal(resumed.code, 0, `step ${index}: ${resumed.err.slice(-800)}`);
      assert.notEqual(await password('app'), before, `step ${index}`);
      assert.ok(all(await takes('app', await password('app')), true), `step ${index}`);
      assert.ok(all(await takes('app', before), false), `step ${index}`);
      assert.deepEqual(await readdir(file('secrets/rotation')), [], `step ${index}`);
    }
    assert.deepEqual(failures, []);
  });

  test('gives a straggler its old password back within a second, names it, and ends without it later', async () => {
    const old = await password('app');
    const primary = deployment.nodes[0]!;
    let refusedAt = 0;
    let backAt = 0;
    const straggling = new AbortController();
    const straggler = (async () => {
      while (!straggling.signal.aborted) {
        const client = createClient({
          socket: { host: primary.host, port: primary.port, reconnectStrategy: false },
          tls: tls(),
          username: 'app',
          password: old,
        });
        client.on('error', () => undefined);
        const accepted = await client.connect().then(
          () => true,
          () => false,
        );
        if (client.isOpen) client.destroy();
        if (!accepted && refusedAt === 0) refusedAt = performance.now();
        if (accepted && refusedAt > 0 && backAt === 0) backAt = performance.now();
        await delay(10);
      }
    })();
    const result = await rotate('app', '--watch', '3', '--json');
    assert.equal(result.code, 1, result.err);
    assert.ok(refusedAt > 0 && backAt > 0, 'refused and rescued');
    assert.ok(backAt - refusedAt < 1000, `${backAt - refusedAt} ms`);
    const status = await sandbox.run(['rotate', 'status', '--json']);
    assert.equal(status.code, 1);
    const [named] = JSON.parse(status.out).stragglers;
    assert.equal(named.user, 'app');
    assert.equal(named.address, '127.0.0.1');
    assert.ok(all(await takes('app', old), true));
    assert.ok(all(await takes('app', await password('app')), true));
    straggling.abort();
    await straggler;
    const again = await rotate();
    assert.equal(again.code, 0, again.err);
    assert.ok(all(await takes('app', old), false));
    assert.deepEqual(JSON.parse((await sandbox.run(['rotate', 'status', '--json'])).out).stragglers, []);
    assert.deepEqual(failures, []);
  });

  test('takes an unfinished rotation back', async () => {
    const old = await password('app');
    const kill = new AbortController();
    await sandbox.run(['rotate', 'users', 'app', '--yes', '--grace', '60', '--verbose'], {
      signal: kill.signal,
      onText: (text) => {
        if (text.includes('wait for the applications')) kill.abort();
      },
    });
    assert.notEqual(await password('app'), old);
    const result = await sandbox.run(['rotate', 'users', '--abort', '--grace', '1']);
    assert.equal(result.code, 0, result.err);
    assert.match(result.err, /time to log in with the old password.*older than the change: \d+; at most 1 s more/);
    assert.equal(await password('app'), old);
    assert.ok(all(await takes('app', old), true));
    const accepted = (await readFile(file(deployment.nodes[0]!.aclFile), 'utf8')).match(/^user app .*$/m)![0];
    assert.equal(accepted.match(/#[0-9a-f]{64}/g)!.length, 1);
    assert.deepEqual(failures, []);
  });

  test('puts new passwords where applications read them, and stops before anything is removed when one place refuses', async () => {
    const kv = new Map<string, { version: number; data: Record<string, unknown> }>();
    let refuse = true;
    const vault = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        const answer = (status: number, value: unknown) => response.writeHead(status).end(JSON.stringify(value));
        if (request.headers['x-vault-token'] !== 'token-of-the-test') return answer(403, {});
        const known = kv.get(request.url!);
        if (request.method === 'GET')
          return known
            ? answer(200, { data: { data: known.data, metadata: { version: known.version } } })
            : answer(404, { errors: [] });
        const { data, options } = JSON.parse(body);
        if (refuse || options.cas !== (known?.version ?? 0)) return answer(400, { errors: ['check-and-set'] });
        kv.set(request.url!, { version: options.cas + 1, data });
        return answer(200, {});
      });
    });
    await new Promise<void>((resolve) => vault.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(vault.address() as AddressInfo).port}`;
    await writeFile(sandbox.path('token'), 'token-of-the-test\n', { mode: 0o600 });
    await writeFile(
      sandbox.path('hook.mjs'),
      `import { appendFileSync } from 'node:fs'; let t=''; for await (const c of process.stdin) t+=c; const { user, stage, password } = JSON.parse(t); appendFileSync(${JSON.stringify(sandbox.path('hook.log'))}, user + ' ' + stage + ' ' + password.length + '\\n');`,
    );
    await writeFile(
      sandbox.path('secrets.yaml'),
      JSON.stringify({
        files: { folder: 'mounted' },
        command: { program: process.execPath, args: [sandbox.path('hook.mjs')] },
        vault: { address, tokenFile: 'token', prefix: 'redkeep/production' },
      }),
    );
    const old = await password('app');
    const failed = await rotate('app', '--secrets', 'secrets.yaml');
    assert.notEqual(failed.code, 0);
    assert.match(failed.err, /Vault answered 400/);
    assert.ok(all(await takes('app', old), true), 'the old password still works');
    refuse = false;
    const result = await rotate('--secrets', 'secrets.yaml');
    assert.equal(result.code, 0, result.err);
    const now = await password('app');
    assert.equal(kv.get('/v1/secret/data/redkeep/production/app')?.data['password'], now);
    assert.equal(await readFile(sandbox.path('mounted/app'), 'utf8'), now);
    assert.match(await readFile(sandbox.path('hook.log'), 'utf8'), /^app pending 43\n(app current 43\n)+$/);
    assert.ok(!`${failed.err}${result.err}${failed.out}${result.out}`.includes(now));
    vault.close();
    await rm(sandbox.path('mounted'), { recursive: true });
    assert.deepEqual(failures, []);
  });

  test('ends sessions in an emergency and rescues nobody', async () => {
    const { connect } = await openDeployment(sandbox);
    const old = await password('app');
    const thief = (await connect('app')) as RedisClient;
    thief.on('error', () => undefined);
    const result = await rotate('app', '--emergency');
    assert.equal(result.code, 0, result.err);
    await waitFor(() => !thief.isOpen, { message: 'the session to end' });
    assert.ok(all(await takes('app', old), false));
  });
});
