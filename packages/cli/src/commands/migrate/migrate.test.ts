import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, stat, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, type Server, startServer, waitFor } from '@redkeep/testing';
import { Redis } from 'ioredis';
import { createClient } from 'redkeep';
import { ExitCode } from '../../exit-codes.js';
import { Migration, type StepId, stepIds } from '../../migrate/migration.js';
import { CliSandbox } from '../../testing/run-cli.js';

const program = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));

/** An application whose connection can be changed, counts what it did and what failed, and never stops. */
interface Application {
  readonly failures: string[];
  done(): number;
  move(to: { tlsPort: number; ca: string; password: string } | undefined): Promise<void>;
  /** Brings `done` and `failures` up to date, where the application is another process. */
  refresh?(): Promise<void>;
  stop(): Promise<void>;
}

interface Connection {
  run(key: string): Promise<unknown>;
  close(): Promise<unknown>;
}

type Open = (port: number, secured?: { tlsPort: number; ca: string; password: string }) => Promise<Connection>;

const openRedkeep: Open = async (port, secured) => {
  const client = secured
    ? createClient({
        url: `rediss://127.0.0.1:${secured.tlsPort}`,
        username: 'app',
        password: secured.password,
        tls: { ca: secured.ca },
      })
    : createClient({ url: `redis://127.0.0.1:${port}` });
  client.on('error', () => undefined);
  await client.connect();
  return { run: (key) => client.incr(key), close: () => client.close() };
};

const openIoredis: Open = async (port, secured) => {
  const client = secured
    ? new Redis({
        host: '127.0.0.1',
        port: secured.tlsPort,
        username: 'app',
        password: secured.password,
        tls: { ca: secured.ca },
        lazyConnect: true,
      })
    : new Redis({ host: '127.0.0.1', port, lazyConnect: true });
  client.on('error', () => undefined);
  await client.connect();
  return { run: (key) => client.incr(key), close: () => client.quit() };
};

async function application(open: Open, port: number, key: string): Promise<Application> {
  const failures: string[] = [];
  let connection = await open(port);
  let count = 0;
  let running = true;
  let pending: Promise<unknown> = Promise.resolve();
  const work = (async () => {
    while (running) {
      pending = connection.run(key).then(
        () => (count += 1),
        (error: Error) => failures.push(error.message),
      );
      await pending;
      await delay(2);
    }
  })();
  return {
    failures,
    done: () => count,
    async move(to) {
      const old = connection;
      connection = await open(port, to);
      await pending;
      await old.close();
    },
    async stop() {
      running = false;
      await work;
      await connection.close();
    },
  };
}

/** An application in Python (redis-py of the distribution), one line of standard input for each move. */
const pythonApplication = `
import json, sys, threading, time, redis
port, key = int(sys.argv[1]), sys.argv[2]
target, done, failures = {}, 0, []
def connect(to):
    if not to: return redis.Redis(host='127.0.0.1', port=port)
    return redis.Redis(host='127.0.0.1', port=to['tlsPort'], username='app', password=to['password'],
                       ssl=True, ssl_ca_certs=to['caFile'])
client, stop = connect(None), False
def work():
    global done
    while not stop:
        try:
            client.incr(key)
            done += 1
        except Exception as error:
            failures.append(str(error))
        time.sleep(0.002)
thread = threading.Thread(target=work)
thread.start()
for line in sys.stdin:
    order = json.loads(line)
    if 'move' in order:
        new = connect(order['move'])
        new.ping()
        client = new
    if 'stop' in order:
        stop = True
        thread.join()
    print(json.dumps({'done': done, 'failures': failures}), flush=True)
`;

/** A Python that has redis-py; undefined where this machine has none. */
async function pythonWithRedis(): Promise<string | undefined> {
  for (const program of ['python3', '/usr/bin/python3']) {
    const child = spawn(program, ['-c', 'import redis'], { stdio: 'ignore' });
    const [code] = (await Promise.race([once(child, 'exit'), once(child, 'error')])) as [unknown];
    if (code === 0) return program;
  }
  return undefined;
}

async function pythonClient(python: string, port: number, key: string, folder: string): Promise<Application> {
  const child = spawn(python, ['-c', pythonApplication, String(port), key], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  const failures: string[] = [];
  let count = 0;
  const order = async (words: object): Promise<void> => {
    child.stdin.write(`${JSON.stringify(words)}\n`);
    const { value } = await answers.next();
    const counted = JSON.parse(String(value)) as { done: number; failures: string[] };
    count = counted.done;
    failures.splice(0, failures.length, ...counted.failures);
  };
  await order({});
  return {
    failures,
    done: () => count,
    async move(to) {
      const caFile = `${folder}/python-ca.crt`;
      if (to) await writeFile(caFile, to.ca);
      await order({ move: to && { ...to, caFile } });
    },
    refresh: () => order({}),
    async stop() {
      await order({ stop: true });
      child.stdin.end();
      await exited(child);
    },
  };
}

describe('redkeep migrate', () => {
  let sandbox: CliSandbox;
  let server: Server;
  let dir: string;
  let tlsPort: number;

  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    server = await startServer({ appendonly: true });
    dir = sandbox.path('migration');
    tlsPort = await freePort();
  });
  afterEach(async () => {
    await server.stop();
    await sandbox.remove();
  });

  const cli = (...args: string[]) => sandbox.run(['migrate', ...args], { env: {} });

  async function plan(...args: string[]): Promise<void> {
    const made = await cli(
      ...[`redis://127.0.0.1:${server.port}`, '--dir', dir, '--tls-port', String(tlsPort), '--watch-seconds', '1'],
      ...args,
    );
    assert.equal(made.code, ExitCode.Ok, made.err);
  }

  async function next(...args: string[]) {
    return cli('next', '--dir', dir, '--yes', '--server', server.engine.server, ...args);
  }

  async function takeUntil(last: StepId): Promise<void> {
    for (;;) {
      const step = (await Migration.load(dir)).next();
      assert.ok(step);
      const result = await next();
      assert.equal(result.code, ExitCode.Ok, `${step}: ${result.err}`);
      if (step === last) return;
    }
  }

  async function secured() {
    return {
      tlsPort,
      ca: await readFile(sandbox.path('migration', 'pki', 'ca.crt'), 'utf8'),
      password: (await readFile(sandbox.path('migration', 'secrets', 'app.password'), 'utf8')).trim(),
    };
  }

  async function works(how: 'old' | 'new'): Promise<boolean> {
    const open = how === 'old' ? openRedkeep(server.port) : openRedkeep(server.port, await secured());
    return open.then(
      async (connection) => {
        const alive = await connection.run('probe').then(
          () => true,
          () => false,
        );
        await connection.close();
        return alive;
      },
      () => false,
    );
  }

  test('moves an open server under load to TLS, users and closed doors without one failed command', async () => {
    const python = await pythonWithRedis();
    const apps = await Promise.all([
      application(openRedkeep, server.port, 'redkeep'),
      application(openIoredis, server.port, 'ioredis'),
      ...(python === undefined ? [] : [pythonClient(python, server.port, 'redis-py', sandbox.folder)]),
    ]);
    await plan();
    await takeUntil('replication');

    const early = await next();
    assert.equal(early.code, ExitCode.Findings);
    assert.match(early.err, /REDKEEP_MIGRATION_CLIENTS_REMAIN/);
    const shown = JSON.parse((await cli('status', '--dir', dir, '--json')).out) as {
      onOldWay: { plaintext: boolean }[];
    };
    assert.equal(shown.onOldWay.length > 0 && shown.onOldWay.every(({ plaintext }) => plaintext), true);

    for (const app of apps) await app.move(await secured());
    await takeUntil('prove');
    const before = apps.map((app) => app.done());
    await waitFor(async () => {
      for (const app of apps) await app.refresh?.();
      return apps.every((app, index) => app.done() > before[index]! + 20);
    });
    assert.deepEqual(
      apps.flatMap(({ failures }) => failures),
      [],
    );
    const counted = apps.map((app) => app.done());
    for (const app of apps) await app.stop();
    assert.ok(counted.every((count) => count > 50));
    assert.equal(await works('old'), false);
    assert.equal(await works('new'), true);

    // A restart must come up closed: what was proved is in the file.
    assert.match(await readFile(server.configFile, 'utf8'), /^port 0$/m);
    assert.equal((await stat(server.configFile)).mode & 0o077 & ~0o040, 0);
    const secrets = `${early.out}${early.err}${(await cli('status', '--dir', dir)).out}`;
    assert.ok(!secrets.includes((await secured()).password));
  });

  test('says which short-lived clients the list missed, and lets them in again', async () => {
    await plan();
    await takeUntil('hand-over');
    let refusedOnce = 0;
    let running = true;
    const cron = (async () => {
      while (running) {
        const worked = await openRedkeep(server.port).then(
          (connection) => connection.close().then(() => true),
          () => false,
        );
        if (!worked) refusedOnce += 1;
        await delay(50);
      }
    })();
    // The hand-over is done, and the job that connects for a moment now and then was not there when it looked.
    const result = await next();
    running = false;
    await cron;
    assert.equal(result.code, ExitCode.Findings, result.err);
    assert.match(result.err, /refused while the default user was off; it is on again/);
    assert.ok(refusedOnce > 0);
    assert.equal(await works('old'), true);
    assert.equal((await Migration.load(dir)).next(), 'brown-out');
  });

  for (const last of stepIds)
    test(`takes everything back from ${last}, and the server is as it was`, async () => {
      const before = await fingerprint(server);
      await plan();
      await takeUntil(last);
      const undone = await cli('undo', '--all', '--yes', '--dir', dir);
      assert.equal(undone.code, ExitCode.Ok, undone.err);
      assert.equal(await fingerprint(server), before);
      assert.equal(await works('old'), true);
      // And forward again: what was taken back can be taken once more.
      await takeUntil(last);
    });

  test('goes on from a copy of the folder, as from another machine', async () => {
    await plan();
    await takeUntil('close-plaintext');
    const copied = sandbox.path('elsewhere');
    await cp(dir, copied, { recursive: true });
    assert.equal((await cli('undo', '--yes', '--dir', copied)).code, ExitCode.Ok);
    assert.equal(await works('new'), true);
    assert.equal((await Migration.load(copied)).next(), 'close-plaintext');
  });

  test('names who would be cut off before it takes back what clients use', async () => {
    const app = await application(openRedkeep, server.port, 'counter');
    await plan();
    await takeUntil('replication');
    await app.move(await secured());
    const undone = await cli('undo', '--all', '--yes', '--dir', dir);
    assert.equal(undone.code, ExitCode.Usage);
    assert.match(undone.err, /127\.0\.0\.1.* as app/);
    await app.stop();
    assert.deepEqual(app.failures, []);
    assert.equal((await cli('undo', '--all', '--yes', '--dir', dir)).code, ExitCode.Ok);
  });

  for (const step of ['close-default', 'close-plaintext'] as const)
    test(`is taken back by its watchdog when the tool is killed in ${step}`, async () => {
      await plan();
      await takeUntil(stepIds[stepIds.indexOf(step) - 1]!);
      // A watchdog as the step starts one, for a step whose process then dies before it confirms.
      const migration = await Migration.load(dir);
      await migration.record(step, 'begun', new Date());
      const watchdog = spawn(
        process.execPath,
        [program, 'migrate', 'watchdog', '--dir', dir, '--step', step, '--seconds', '1'],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await once(watchdog.stdout!, 'data');
      const admin = await adminOf(dir, tlsPort);
      if (step === 'close-default') await admin.sendCommand(['ACL', 'SETUSER', 'default', 'off']);
      else await admin.sendCommand(['CONFIG', 'SET', 'port', '0']);
      await exited(watchdog);
      admin.destroy();
      assert.equal((await Migration.load(dir)).stateOf(step), 'rolled-back');
      assert.equal((await Migration.load(dir)).next(), step);
      await takeUntil('prove');
      assert.equal(await works('old'), false);
    });

  test('comes to the same end when the tool is killed at any moment', async () => {
    await plan();
    const started = performance.now();
    let kills = 0;
    for (let wait = 400; (await Migration.load(dir)).next() !== undefined; wait *= 1.3) {
      const before = (await Migration.load(dir)).next();
      const child = spawn(
        process.execPath,
        [program, 'migrate', 'next', '--yes', '--dir', dir, '--server', server.engine.server],
        { stdio: 'ignore', env: { ...process.env, REDIS_URL: '' } },
      );
      // From a moment in which nothing is done yet up to one in which most steps come to their end.
      const killed = await Promise.race([exited(child).then(() => false), delay(wait).then(() => true)]);
      if (killed) {
        kills += 1;
        child.kill('SIGKILL');
        await exited(child);
      }
      if ((await Migration.load(dir)).next() !== before) wait = 400;
      assert.ok(performance.now() - started < 240_000, 'the migration comes to an end');
    }
    assert.ok(kills > 2, `${kills} kills`);
    assert.equal(await works('old'), false);
    assert.equal(await works('new'), true);
  });

  test('moves replicas to TLS and a login of their own, without a full copy', async () => {
    await using replica = await startServer({ replicaOf: server });
    await plan();
    await takeUntil('prove');
    const admin = await adminOf(dir, replica.port + 1000);
    const info = String(await admin.sendCommand(['INFO', 'replication']));
    admin.destroy();
    assert.match(info, /master_link_status:up/);
    assert.match(info, new RegExp(`master_port:${tlsPort}\r`));
    const primary = await adminOf(dir, tlsPort);
    const stats = String(await primary.sendCommand(['INFO', 'stats']));
    primary.destroy();
    // One for the replica's start, one for the backup: none for the change to TLS.
    assert.match(stats, /sync_full:2\r/);
  });

  test('refuses what it cannot do, and changes nothing', async () => {
    const before = await fingerprint(server);
    const replicaUrl = await cli('rediss://127.0.0.1:1', '--dir', dir);
    assert.equal(replicaUrl.code, ExitCode.Usage);
    assert.equal((await cli('next', '--dir', dir)).code, ExitCode.Usage);
    await plan();
    assert.equal((await cli('next', '--dir', dir)).code, ExitCode.Usage, 'without consent');
    assert.equal((await cli(`redis://127.0.0.1:${server.port}`, '--dir', dir)).code, ExitCode.Usage);
    assert.equal(await fingerprint(server), before);
  });

  test('begins at a server with a password', async () => {
    await using locked = await startServer({ password: 'the-old-password' });
    await writeFile(sandbox.path('old'), 'the-old-password\n', { mode: 0o600 });
    const port = await freePort();
    const made = await cli(
      ...[`redis://127.0.0.1:${locked.port}`, '--dir', dir, '--tls-port', String(port), '--watch-seconds', '1'],
      ...['--password-file', sandbox.path('old')],
    );
    assert.equal(made.code, ExitCode.Ok, made.err);
    await takeUntil('prove');
    assert.ok(!(await readFile(sandbox.path('migration', 'migration.json'), 'utf8')).includes('the-old-password'));
  });
});

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function adminOf(dir: string, port: number) {
  const client = createClient({
    url: `rediss://127.0.0.1:${port}`,
    username: 'redkeep-admin',
    password: (await readFile(`${dir}/secrets/redkeep-admin.password`, 'utf8')).trim(),
    tls: { ca: await readFile(`${dir}/pki/ca.crt`, 'utf8') },
    commandPolicy: 'unrestricted',
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Doors of a server: ports, users, replication login. */
async function fingerprint(server: Server): Promise<string> {
  const parts = await Promise.all(
    ['port', 'tls-port', 'masteruser', 'masterauth', 'requirepass', 'protected-mode'].map((name) =>
      server.command('CONFIG', 'GET', name),
    ),
  );
  // A user that was set anew shows `sanitize-payload`, which is what a user without it has anyway.
  const users = String(await server.command('ACL', 'LIST')).replaceAll(' sanitize-payload', '');
  return JSON.stringify([parts, users]);
}
