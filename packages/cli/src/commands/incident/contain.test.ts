import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findEngines, type Server, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from 'redkeep';
import { record } from '../../audit/gather/live.js';
import { ExitCode } from '../../exit-codes.js';
import { type ContainRequest, contain, release } from '../../incident/contain/contain.js';
import { IncidentFolder } from '../../incident/folder.js';
import { CliSandbox } from '../../testing/run-cli.js';
import { openIncidentSession } from './options.js';

const run = promisify(execFile);
const program = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));
const engines = findEngines().filter(({ name }) => ['redis-7.0', 'redis-8.0', 'valkey-9'].includes(name));

async function client(server: Server, as: { username?: string; password?: string } = {}): Promise<RedisClient> {
  const made = createClient({
    url: server.url,
    commandPolicy: 'unrestricted',
    socket: { reconnectStrategy: false },
    ...as,
  });
  made.on('error', () => undefined);
  await made.connect();
  return made;
}

/** What containment changes, and release has to put back. */
async function fingerprint(ask: (...args: string[]) => Promise<unknown>): Promise<string> {
  const settings = [];
  for (const name of ['auto-aof-rewrite-percentage', 'save', 'port', 'bind', 'requirepass'])
    settings.push(record(await ask('CONFIG', 'GET', name)));
  const users = String(await ask('ACL', 'LIST')).replaceAll(' sanitize-payload', '');
  return JSON.stringify([settings, users]);
}

const throughRaw =
  (server: Server) =>
  (...args: string[]) =>
    server.command(...args);

const requestFor = ({ host, port }: Server): Omit<ContainRequest, 'incident'> => ({
  endpoints: [{ host, port, tls: false, timeoutMs: 5000 }],
  openSession: openIncidentSession,
  now: () => new Date(),
  signal: new AbortController().signal,
  options: {
    ...{ pauseMs: 60_000, allowFrom: [], usersOff: ['app'], killReplicas: false },
    ...{ stopReplication: false, firewall: false },
  },
});

for (const engine of engines)
  describe(`redkeep incident contain, ${engine.name}`, () => {
    let sandbox: CliSandbox;
    let server: Server;

    beforeEach(async () => {
      sandbox = await CliSandbox.create();
      server = await startServer({ engine, appendonly: true, config: { save: '3600 1' } });
      await server.command('ACL', 'SETUSER', 'app', 'on', '>app-password-1', '~*', '+@all');
    });
    afterEach(async () => {
      await server.stop();
      await sandbox.remove();
    });

    const cli = (...args: string[]) => sandbox.run(['incident', ...args], { env: { HOME: sandbox.folder } });

    test('locks the intruder out, keeps its own way in, and takes everything back', async () => {
      const before = await fingerprint(throughRaw(server));
      const refusedEarly = await cli('contain', server.url, '--yes');
      assert.equal(refusedEarly.code, ExitCode.Usage);
      assert.match(refusedEarly.err, /REDKEEP_INCIDENT_UNCOLLECTED/);
      assert.equal(await fingerprint(throughRaw(server)), before);
      assert.equal((await cli('collect', server.url)).code, ExitCode.Ok);

      const intruder = await client(server);
      const app = await client(server, { username: 'app', password: 'app-password-1' });
      const dry = await cli('contain', server.url, '--dry-run', '--user-off', 'app');
      assert.match(dry.out, /ACL SETUSER default off/);
      assert.equal(await fingerprint(throughRaw(server)), before);
      assert.equal((await cli('contain', server.url, '--user-off', 'app')).code, ExitCode.Usage, 'without consent');

      const contained = await cli('contain', server.url, '--yes', '--user-off', 'app', '--pause-minutes', '1');
      assert.equal(contained.code, ExitCode.Ok, contained.err);
      await waitFor(() => !intruder.isReady && !app.isReady, { message: 'their connections to end' });
      await assert.rejects(client(server), 'the default user');
      await assert.rejects(client(server, { username: 'app', password: 'app-password-1' }));
      const file = sandbox.path('redkeep-incident', 'secrets', 'redkeep-incident.password');
      assert.equal((await stat(file)).mode & 0o077, 0);
      const password = (await readFile(file, 'utf8')).trim();
      const own = await client(server, { username: 'redkeep-incident', password });
      const waiting = own.set('x', 'y');
      const early = await Promise.race([waiting.then(() => 'written'), delay(300).then(() => 'waits')]);
      assert.equal(early, 'waits');
      assert.ok(!(contained.out + contained.err).includes(password));

      const journal = await readFile(sandbox.path('redkeep-incident', 'containment.json'), 'utf8');
      assert.match(journal, /addr=127\.0\.0\.1/, 'who was connected is kept');
      const released = await cli('release', server.url, '--yes');
      assert.equal(released.code, ExitCode.Ok, released.err);
      assert.equal(await waiting, 'OK');
      // Its user is gone, and its connection with it.
      await waitFor(() => !own.isReady);
      assert.equal(await fingerprint(throughRaw(server)), before);
      assert.equal((await cli('release', server.url, '--yes', '--json')).out.includes('"undone": 0'), true);
    });

    // What decides is in the journal, which is the same for every engine.
    if (engine === engines[0])
      test('comes to the same end when it is killed at any place, and so does taking it back', async () => {
        const before = await fingerprint(throughRaw(server));
        const killed = new Error('killed here');
        const request = async (killAt: number, name: string): Promise<ContainRequest & { places: () => number }> => {
          let places = 0;
          return {
            incident: await IncidentFolder.begin(sandbox.path(name), new Date()),
            ...requestFor(server),
            onCheckpoint: () => {
              places += 1;
              if (places === killAt) throw killed;
            },
            places: () => places,
          };
        };
        const whole = await request(0, 'whole');
        await contain(whole);
        const asRescue = async () => {
          const file = (name: string) => sandbox.path(name, 'secrets', 'redkeep-incident.password');
          return (name: string) => readFile(file(name), 'utf8');
        };
        const passwordIn = await asRescue();
        const closed = async (name: string) => {
          const own = await client(server, { username: 'redkeep-incident', password: (await passwordIn(name)).trim() });
          const text = await fingerprint((...args) => own.sendCommand(args));
          own.destroy();
          return text.replace(/#[0-9a-f]{64}/g, '#hash');
        };
        const end = await closed('whole');
        const undo = await request(0, 'whole');
        await release(undo);
        assert.equal(await fingerprint(throughRaw(server)), before);

        assert.ok(whole.places() > 20 && undo.places() > 15, `${whole.places()} and ${undo.places()} places`);
        for (let place = 1; place <= whole.places(); place += 1) {
          const name = `killed-${place}`;
          await assert.rejects(contain(await request(place, name)), killed);
          await contain(await request(0, name));
          assert.equal(await closed(name), end, `contain killed at ${place}`);
          await release(await request(0, name));
          assert.equal(await fingerprint(throughRaw(server)), before, `released after ${place}`);
        }
        for (let place = 1; place <= undo.places(); place += 1) {
          const name = `undo-${place}`;
          await contain(await request(0, name));
          await assert.rejects(release(await request(place, name)), killed);
          await release(await request(0, name));
          assert.equal(await fingerprint(throughRaw(server)), before, `release killed at ${place}`);
        }
      });

    test('does not open again what an operator has changed since', async () => {
      assert.equal((await cli('contain', server.url, '--yes', '--without-evidence')).code, ExitCode.Ok);
      const file = sandbox.path('redkeep-incident', 'secrets', 'redkeep-incident.password');
      const own = await client(server, {
        username: 'redkeep-incident',
        password: (await readFile(file, 'utf8')).trim(),
      });
      await own.sendCommand(['ACL', 'SETUSER', 'default', 'resetpass', '>a-new-password-1', 'on']);
      own.destroy();
      const released = await sandbox.run(
        [...['incident', 'release', server.url, '--yes'], ...['--user', 'redkeep-incident', '--password-file', file]],
        { env: { HOME: sandbox.folder } },
      );
      assert.equal(released.code, ExitCode.Ok, released.err);
      assert.match(released.err, /default user was changed since/);
      await assert.rejects(client(server), 'without the new password');
      (await client(server, { password: 'a-new-password-1' })).destroy();
    });

    test('says which command the server refused, and has changed nothing then', async () => {
      const rules = [
        'on',
        '>narrow-password-1',
        '~*',
        '-@all',
        '+ping',
        '+info',
        '+acl|whoami',
        '+acl|list',
        '+client|list',
      ];
      await server.command('ACL', 'SETUSER', 'narrow', ...rules);
      const before = await fingerprint(throughRaw(server));
      const result = await sandbox.run(['incident', 'contain', server.url, '--yes', '--without-evidence'], {
        env: { HOME: sandbox.folder, REDKEEP_USER: 'narrow', REDKEEP_PASSWORD: 'narrow-password-1' },
      });
      assert.equal(result.code, ExitCode.Findings);
      assert.match(result.err, /REDKEEP_CONTAINMENT_FAILED/);
      assert.equal(await fingerprint(throughRaw(server)), before);
    });

    test('takes back what was half done, without going on first', async () => {
      const before = await fingerprint(throughRaw(server));
      const incident = await IncidentFolder.begin(sandbox.path('half'), new Date());
      const base: ContainRequest = {
        incident,
        ...requestFor(server),
      };
      for (const place of ['own-access taken', 'keep-history begun', 'default-off taken', 'users-off begun']) {
        const stop = (name: string) => {
          if (name === place) throw new Error('killed');
        };
        await assert.rejects(contain({ ...base, onCheckpoint: stop }), /killed/);
        await release(base);
        assert.equal(await fingerprint(throughRaw(server)), before, place);
      }
    });
  });

describe('redkeep incident contain', () => {
  let sandbox: CliSandbox;
  before(async () => {
    sandbox = await CliSandbox.create();
  });
  after(() => sandbox.remove());

  test('stops a server from following another one, and lets it follow again', async () => {
    await using primary = await startServer();
    await using replica = await startServer({ replicaOf: primary });
    const env = { HOME: sandbox.folder };
    const cli = (...args: string[]) => sandbox.run(['incident', ...args, '--incident', 'follow'], { env });
    const contained = await cli('contain', replica.url, '--yes', '--stop-replication', '--without-evidence');
    assert.equal(contained.code, ExitCode.Ok, contained.err);
    assert.equal((await cli('release', replica.url, '--yes')).code, ExitCode.Ok);
    await waitFor(async () => (await replica.info('replication'))['master_link_status'] === 'up');
  });

  test('closes the port by the packet filter, in a network of its own, and opens it again', async () => {
    const namespace = `rk-incident-${process.pid}`;
    const ip = (...args: string[]) => run('ip', args);
    await ip('netns', 'add', namespace);
    try {
      const inside = (...args: string[]) =>
        run('ip', ['netns', 'exec', namespace, ...args], {
          cwd: sandbox.folder,
          env: { ...process.env, HOME: sandbox.folder },
        });
      await inside('ip', 'link', 'set', 'lo', 'up');
      await inside('ip', 'addr', 'add', '127.0.0.9/8', 'dev', 'lo');
      const port = '6399';
      const { server } = engines[0]!;
      await inside(
        server,
        '--port',
        port,
        '--daemonize',
        'yes',
        '--pidfile',
        sandbox.path('pid'),
        '--dir',
        sandbox.folder,
        '--protected-mode',
        'no',
      );
      const redkeep = (...args: string[]) =>
        inside(process.execPath, program, 'incident', ...args, '--incident', 'net');
      const reaches = (from: string) =>
        inside(
          process.execPath,
          '-e',
          `const s=require('net').connect({port:${port},host:'127.0.0.1',localAddress:'${from}',timeout:700});s.on('connect',()=>process.exit(0));s.on('timeout',()=>process.exit(9));s.on('error',()=>process.exit(8))`,
        ).then(
          () => true,
          () => false,
        );
      await waitFor(() => reaches('127.0.0.9'));
      const url = `redis://127.0.0.1:${port}`;
      await redkeep('contain', url, '--yes', '--firewall', '--without-evidence');
      assert.equal(await reaches('127.0.0.9'), false);
      assert.equal(await reaches('127.0.0.1'), true, 'the own address stays');
      await redkeep('contain', url, '--yes', '--firewall', '--without-evidence', '--allow-from', '127.0.0.8/30');
      await redkeep('release', url, '--yes');
      assert.equal(await reaches('127.0.0.9'), true);
      assert.equal((await inside('nft', 'list', 'ruleset')).stdout, '');
    } finally {
      const pid = Number(await readFile(sandbox.path('pid'), 'utf8').catch(() => '0'));
      if (pid > 0) process.kill(pid, 'SIGKILL');
      await ip('netns', 'delete', namespace);
    }
  });
});
