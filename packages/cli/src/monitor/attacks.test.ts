/** Attacks on a real deployment, each seen by the monitor, by a real Prometheus and by a real Alertmanager. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { createPki, freePort, waitFor, writePki } from '@redkeep/testing';
import { createClient, type RedisClient } from 'redkeep';
import { stringify } from 'yaml';
import { openDeployment } from '../testing/open-deployment.js';
import { CliSandbox } from '../testing/run-cli.js';
import { runProgram } from './testing/program.js';
import { startAlertmanager, startPrometheus } from './testing/prometheus.js';

/** What an alert may take from the attack on, as issue and documents promise. */
const alertedWithinMs = 30_000;

describe('a watched deployment', () => {
  let sandbox: CliSandbox;
  let deployment: Awaited<ReturnType<typeof openDeployment>>;
  let admin: RedisClient;
  let app: RedisClient;
  let prometheus: Awaited<ReturnType<typeof startPrometheus>>;
  let alertmanager: Awaited<ReturnType<typeof startAlertmanager>>;
  let monitor: Promise<unknown>;
  const stop = new AbortController();
  const open: RedisClient[] = [];
  let said = '';

  before(async () => {
    sandbox = await CliSandbox.create();
    const port = String(await freePort());
    const made = await sandbox.run(['init', '--yes', '--profile', 'production', '--port', port, '--app', 'app=app:*']);
    assert.equal(made.code, 0, made.err);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    deployment = await openDeployment(sandbox);
    admin = await deployment.connect('admin');
    app = await deployment.connect('app');
    alertmanager = await startAlertmanager();
    const receivers = { alertmanager: { url: alertmanager.url }, groupIntervalSeconds: 0 };
    await writeFile(sandbox.path('receivers.yaml'), stringify(receivers));
    const listen = `127.0.0.1:${await freePort()}`;
    monitor = sandbox.run(
      ['monitor', '--listen', listen, '--interval', '1', '--network', '10.0.0.0/8', '--receivers', 'receivers.yaml'],
      {
        signal: stop.signal,
        onText: (text) => {
          said += text;
        },
      },
    );
    await waitFor(() => said.includes('Metrics:'), { message: 'the monitor to listen' });
    prometheus = await startPrometheus({ scrape: [{ address: listen }] });
  });
  after(async () => {
    stop.abort();
    for (const client of [...open, admin, app]) if (client?.isOpen) client.destroy();
    await monitor;
    await prometheus?.[Symbol.asyncDispose]();
    await alertmanager?.[Symbol.asyncDispose]();
    await sandbox.remove();
  });

  const sampled = async (expr: string) => Number((await prometheus.query(expr))[0]?.value[1] ?? Number.NaN);
  /** Alerts that reached Alertmanager, by its own tool. */
  const received = async () => {
    const { code, out } = await runProgram('amtool', [
      `--alertmanager.url=${alertmanager.url}`,
      'alert',
      'query',
      '-o',
      'json',
    ]);
    assert.equal(code, 0, out);
    return (JSON.parse(out) as { labels: { alertname: string } }[]).map(({ labels }) => labels.alertname);
  };
  const node = () => deployment.deployment.nodes[0]!;
  const tlsFiles = async (user: string) => ({
    ca: await readFile(sandbox.path('redkeep', deployment.deployment.caFile), 'utf8'),
    cert: await readFile(sandbox.path(`redkeep/pki/clients/${user}.crt`), 'utf8'),
    key: await readFile(sandbox.path(`redkeep/pki/clients/${user}.key`), 'utf8'),
  });
  const passwordOf = async (user: string) =>
    (await readFile(sandbox.path(`redkeep/secrets/${user}.password`), 'utf8')).trim();
  /** A connection without the client, as attackers have it. */
  async function raw(lines: readonly string[], options: { user?: string; localAddress?: string } = {}) {
    const { host, port } = node();
    const socket = connectTls({
      host,
      port,
      ...(await tlsFiles('app')),
      ...(options.localAddress && { localAddress: options.localAddress }),
    });
    let answer = '';
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    const login = options.user === undefined ? [] : [`AUTH ${options.user} ${await passwordOf(options.user)}`];
    socket.write([...login, ...lines].map((line) => `${line}\r\n`).join(''));
    await waitFor(() => answer !== '', { message: 'an answer' });
    return { socket, answer: () => answer };
  }
  const refused = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      () => undefined,
    );

  test('raises no alert on a normal day', async () => {
    const rounds = () => sampled('redkeep_monitor_last_round_timestamp_seconds');
    const first = await waitFor(rounds, { message: 'a first scrape' });
    for (let turn = 0; turn < 20; turn += 1) {
      await Promise.all(
        Array.from({ length: 50 }, (_, index) => app.set(`app:${index}`, randomBytes(200).toString('hex'))),
      );
      await Promise.all(Array.from({ length: 50 }, (_, index) => app.get(`app:${index}`)));
      const short = await deployment.connect('app');
      await short.hSet('app:h', 'field', 'value');
      short.destroy();
    }
    // Somebody mistypes a password, twice.
    for (let turn = 0; turn < 2; turn += 1) (await raw(['AUTH app wrong'])).socket.destroy();
    assert.equal((await sandbox.run(['health'])).code, 0);
    assert.equal((await sandbox.run(['status'])).code, 0);
    await waitFor(async () => (await rounds()) > first + 8, { timeout: 60_000, message: 'rounds after the work' });
    assert.deepEqual(await prometheus.firing(), []);
    assert.deepEqual(await received(), []);
    assert.equal(await sampled('sum(redkeep_refused_logins_total{user="app"})'), 2);
    assert.equal(await sampled('redkeep_own_refusals'), 0);
    const errors = (await admin.info('errorstats')).match(/errorstat_NOPERM/);
    assert.equal(errors, null, 'the monitor was refused a command');
  });

  const attacks: readonly { readonly attack: string; readonly alert: string; run(): Promise<unknown> }[] = [
    {
      attack: 'guesses a password',
      alert: 'RedkeepPasswordGuessing',
      run: async () => (await raw(Array.from({ length: 12 }, (_, turn) => `AUTH app guess-${turn}`))).socket.destroy(),
    },
    {
      attack: 'tries one password for many names',
      alert: 'RedkeepPasswordSpray',
      run: async () =>
        (
          await raw(['root', 'redis', 'test', 'user', 'web', 'api'].map((name) => `AUTH ${name} redis`))
        ).socket.destroy(),
    },
    {
      attack: 'asks without a login',
      alert: 'RedkeepUnauthenticatedProbe',
      run: async () => (await raw(['INFO', 'KEYS *', 'CONFIG GET dir', 'CLIENT LIST', 'DBSIZE'])).socket.destroy(),
    },
    {
      attack: "reads another application's keys",
      alert: 'RedkeepPermissionDenied',
      run: () => refused(app.get('other:secret')),
    },
    {
      attack: 'tries to load a module with stolen credentials',
      alert: 'RedkeepDangerousCommandDenied',
      run: () => refused(app.sendCommand(['MODULE', 'LOAD', '/tmp/exp.so'])),
    },
    {
      attack: 'points the data file at a crontab',
      alert: 'RedkeepConfigurationChanged',
      run: () => refused(admin.sendCommand(['CONFIG', 'SET', 'dir', '/var/spool/cron'])),
    },
    {
      attack: 'adds a user as a back door',
      alert: 'RedkeepUsersChanged',
      run: () => admin.sendCommand(['ACL', 'SETUSER', 'backdoor', 'on', '>door', '~*', '&*', '+@all']),
    },
    {
      attack: 'logs in through the back door',
      alert: 'RedkeepUnknownUserConnected',
      run: async () => raw(['AUTH backdoor door', 'PING']),
    },
    {
      attack: 'stores a function',
      alert: 'RedkeepCodeLoaded',
      run: () =>
        admin.sendCommand([
          'FUNCTION',
          'LOAD',
          '#!lua name=l\nredis.register_function{function_name="f",callback=function() return 1 end,flags={"no-writes"}}',
        ]),
    },
    {
      attack: 'walks and dumps the data',
      alert: 'RedkeepExfiltration',
      run: () =>
        Promise.all([
          admin.keys('*'),
          ...Array.from({ length: 20 }, (_, index) => admin.sendCommand(['DUMP', `app:${index}`])),
        ]),
    },
    {
      attack: 'sends keys to a server of its own',
      alert: 'RedkeepDataCopied',
      run: async () =>
        refused(admin.sendCommand(['MIGRATE', '127.0.0.1', String(await freePort()), 'app:1', '0', '50'])),
    },
    {
      attack: 'copies the whole data set by replication',
      alert: 'RedkeepUnknownReplica',
      run: async () => {
        const { socket, answer } = await raw(['REPLCONF capa eof capa psync2'], { user: 'admin' });
        await waitFor(() => answer().split('+OK').length === 3, { message: 'both answers' });
        socket.write('PSYNC ? -1\r\n');
      },
    },
    {
      attack: 'listens to every command',
      alert: 'RedkeepMonitorSession',
      run: async () => raw(['MONITOR'], { user: 'admin' }),
    },
    {
      attack: 'comes from a network never seen',
      alert: 'RedkeepNewClientNetwork',
      run: async () => raw(['PING'], { user: 'app', localAddress: '127.8.8.8' }),
    },
    {
      attack: 'pauses the clients',
      alert: 'RedkeepClientsPaused',
      run: () => admin.sendCommand(['CLIENT', 'PAUSE', '10', 'WRITE']),
    },
    {
      attack: 'resets statistics to hide',
      alert: 'RedkeepEvidenceErased',
      run: () => admin.sendCommand(['CONFIG', 'RESETSTAT']),
    },
    {
      attack: 'opens a port without TLS',
      alert: 'RedkeepPlaintextPortOpen',
      run: async () => {
        const port = await freePort();
        await admin.sendCommand(['CONFIG', 'SET', 'port', String(port)]);
        const client = createClient({
          socket: { host: '127.0.0.1', port, tls: false, reconnectStrategy: false },
          allowPlaintext: true,
          username: 'app',
          password: await passwordOf('app'),
        });
        client.on('error', () => undefined);
        open.push(await client.connect());
      },
    },
    { attack: 'has a client without TLS', alert: 'RedkeepPlaintextClients', run: async () => undefined },
    {
      attack: 'deletes everything',
      alert: 'RedkeepDataDestroyed',
      run: () => admin.sendCommand(['FLUSHALL']),
    },
    {
      attack: 'makes the server copy a rogue primary',
      alert: 'RedkeepForeignPrimary',
      run: async () => admin.sendCommand(['REPLICAOF', '127.66.6.6', String(await freePort())]),
    },
    { attack: 'changes the topology', alert: 'RedkeepTopologyChanged', run: async () => undefined },
    {
      attack: 'leaves a replication id of its own behind',
      alert: 'RedkeepReplicationIdChanged',
      run: () => admin.sendCommand(['REPLICAOF', 'NO', 'ONE']),
    },
    {
      attack: 'has another certificate served',
      alert: 'RedkeepCertificateUntrusted',
      run: async () => {
        const files = await writePki(await createPki(), sandbox.folder, 'server');
        await admin.sendCommand(['CONFIG', 'SET', 'tls-cert-file', files.cert, 'tls-key-file', files.key]);
      },
    },
  ];

  for (const { attack, alert, run } of attacks) {
    test(`raises ${alert} when somebody ${attack}`, { timeout: alertedWithinMs * 4 }, async () => {
      await run();
      await waitFor(async () => (await received()).includes(alert), {
        timeout: alertedWithinMs,
        interval: 100,
        message: `${alert} at Alertmanager; the monitor said:\n${said.slice(-1500)}`,
      });
      await waitFor(async () => (await prometheus.firing()).includes(alert), {
        timeout: alertedWithinMs,
        interval: 100,
        message: `${alert} in Prometheus`,
      });
    });
  }

  test('keeps what clients sent out of its output and metrics', async () => {
    for (const text of ['guess-', 'backdoor', 'MODULE LOAD /tmp', await passwordOf('app')])
      assert.ok(!said.includes(text), text);
  });
});
