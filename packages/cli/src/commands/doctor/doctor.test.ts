import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { freePort, type Server, startServer, waitFor } from '@redkeep/testing';
import { ExitCode } from '../../exit-codes.js';
import { CliSandbox } from '../../testing/run-cli.js';

interface Result {
  readonly servers: readonly {
    readonly connection: readonly { name: string; outcome: string; detail: string; hint?: string }[];
    readonly findings: readonly { id: string }[];
    readonly cost?: { commands: number; usec: number };
    readonly watchedSeconds?: number;
  }[];
}

describe('redkeep doctor', () => {
  let secured: Server;
  let open: Server;
  let sandbox: CliSandbox;
  const password = 'a-password-for-the-app';

  before(async () => {
    sandbox = await CliSandbox.create();
    secured = await startServer({
      tls: true,
      users: [
        'user default off',
        'user admin on >admin-password ~* &* +@all',
        `user app on >${password} ~app:* resetchannels -@all +@read +@write +@connection +info`,
        'user reader on >reader-password ~* resetchannels -@all +@read +@connection',
      ],
      admin: { username: 'admin', password: 'admin-password' },
    });
    open = await startServer();
  });
  after(async () => {
    await secured.stop();
    await open.stop();
    await sandbox.remove();
  });

  async function connectionTest(lines: Readonly<Record<string, string>>, ...args: string[]) {
    const file = sandbox.path('app.env');
    await writeFile(
      file,
      Object.entries(lines)
        .map(([name, value]) => `${name}=${value}\n`)
        .join(''),
    );
    const result = await sandbox.run(
      ['doctor', '--env-file', file, '--connection-only', '--timeout', '2000', '--json', ...args],
      { env: {} },
    );
    assert.doesNotMatch(result.out + result.err, /a-password-for-the-app|reader-password|not-the-password/);
    const [server] = (JSON.parse(result.out) as Result).servers;
    return {
      code: result.code,
      stages: server!.connection,
      failed: server!.connection.find(({ outcome }) => outcome === 'failed'),
    };
  }

  const working = (): Record<string, string> => ({
    REDIS_URL: `rediss://localhost:${secured.tlsPort}`,
    REDIS_USERNAME: 'app',
    REDIS_PASSWORD: password,
    REDIS_TLS_CA_FILE: secured.tlsFiles!.ca,
    REDIS_TLS_CERT_FILE: secured.tlsFiles!.clientCert,
    REDIS_TLS_KEY_FILE: secured.tlsFiles!.clientKey,
  });

  test('passes every step of a connection that works, and leaves no key behind', async () => {
    const { code, stages } = await connectionTest(working(), '--key-prefix', 'app:');
    assert.equal(code, ExitCode.Ok);
    assert.deepEqual(
      stages.map(({ name, outcome }) => `${name} ${outcome}`),
      [
        'configuration ok',
        'name ok',
        'network ok',
        'tls ok',
        'login ok',
        'permission ok',
        'round trip ok',
        'latency ok',
        'clean-up ok',
      ],
    );
    assert.equal(await secured.command('DBSIZE'), 0);
  });

  const faults: readonly (readonly [string, string, (env: Record<string, string>) => unknown, RegExp])[] = [
    ['no address', 'configuration', (env) => delete env['REDIS_URL'], /REDIS_URL/],
    ['a scheme that is not one', 'configuration', (env) => (env['REDIS_URL'] = 'http://localhost:1'), /http/],
    [
      'a # in the password of the URL',
      'configuration',
      (env) => (env['REDIS_URL'] = `"rediss://app:ab#${secured.tlsPort}@localhost:1"`),
      /#|URL/,
    ],
    [
      'a % in the password of the URL',
      'configuration',
      (env) => (env['REDIS_URL'] = `rediss://app:a%zz@localhost:${secured.tlsPort}`),
      /%/,
    ],
    ['a database that is not a number', 'configuration', (env) => (env['REDIS_URL'] += '/cache'), /database/],
    ['port 0', 'configuration', (env) => (env['REDIS_URL'] = 'rediss://localhost:0'), /Port 0/],
    [
      'the address under another name',
      'configuration',
      (env) => {
        env['REDIS_URI'] = env['REDIS_URL']!;
        delete env['REDIS_URL'];
      },
      /but REDIS_URI/,
    ],
    ['a CA file that is not there', 'configuration', (env) => (env['REDIS_TLS_CA_FILE'] = '/nowhere/ca.crt'), /ENOENT/],
    [
      'a CA file that is not a certificate',
      'configuration',
      (env) => (env['REDIS_TLS_CA_FILE'] = env['REDIS_TLS_KEY_FILE']!),
      /not a certificate/,
    ],
    ['a certificate without its key', 'configuration', (env) => delete env['REDIS_TLS_KEY_FILE'], /both files/],
    ['an empty password', 'configuration', (env) => (env['REDIS_PASSWORD'] = ''), /empty/],
    [
      'a name that does not exist',
      'name',
      (env) => (env['REDIS_URL'] = 'rediss://no-such-host.invalid:6379'),
      /resolved/,
    ],
    ['a wrong CA', 'tls', (env) => (env['REDIS_TLS_CA_FILE'] = sandbox.path('other-ca.crt')), /./],
    [
      'plaintext to a TLS port',
      'tls',
      (env) => (env['REDIS_URL'] = `redis://localhost:${secured.tlsPort}`),
      /expects TLS/,
    ],
    [
      'TLS to a plaintext port',
      'tls',
      (env) => (env['REDIS_URL'] = `rediss://localhost:${open.port}`),
      /plaintext|not speak TLS/,
    ],
    ['no password', 'login', (env) => delete env['REDIS_PASSWORD'] && delete env['REDIS_USERNAME'], /./],
    ['a wrong password', 'login', (env) => (env['REDIS_PASSWORD'] = 'not-the-password'), /./],
    [
      'a user that may only read',
      'permission',
      (env) => Object.assign(env, { REDIS_USERNAME: 'reader', REDIS_PASSWORD: 'reader-password' }),
      /SET/,
    ],
  ];

  for (const [fault, stage, make, detail] of faults)
    test(`says that ${stage} is wrong: ${fault}`, async () => {
      const { createPki } = await import('@redkeep/testing');
      const other = await createPki();
      await writeFile(sandbox.path('other-ca.crt'), other.ca);
      const env = working();
      make(env);
      const { code, failed } = await connectionTest(env, '--key-prefix', 'app:');
      assert.equal(code, ExitCode.Connection);
      assert.equal(failed?.name, stage, JSON.stringify(failed));
      assert.match(failed?.detail ?? '', detail);
      assert.ok(failed?.hint, 'a next step');
    });

  for (const [certificate, detail] of [
    ['wrongName', /name|wrong\.example/i],
    ['expired', /expired/i],
  ] as const)
    test(`says that tls is wrong: the server presents the certificate ${certificate}`, async () => {
      await using server = await startServer({ tls: { certificate } });
      const env = {
        ...working(),
        REDIS_URL: `rediss://localhost:${server.tlsPort}`,
        REDIS_TLS_CA_FILE: server.tlsFiles!.ca,
      };
      const { failed } = await connectionTest(env);
      assert.equal(failed?.name, 'tls', JSON.stringify(failed));
      assert.match(`${failed?.detail}`, detail);
    });

  test('says what the text of an env file itself shows to be wrong', async () => {
    const file = sandbox.path('text.env');
    const url = `REDIS_URL=rediss://localhost:${secured.tlsPort}\n`;
    for (const [text, detail] of [
      [`${url}REDIS_PASSWORD=ab#cd\n`, /REDIS_PASSWORD has a # without quotes/],
      [`\uFEFF${url}`, /byte order mark/],
      [`${url}export REDIS_PASSWORD="\${SECRET}"\n`, /REDIS_PASSWORD refers to another variable/],
    ] as const) {
      await writeFile(file, text);
      const { out } = await sandbox.run(['doctor', '--env-file', file, '--connection-only', '--json'], { env: {} });
      assert.match(out, detail);
      assert.ok(!out.includes('ab#cd'));
    }
    await writeFile(file, `${url}REDIS_PASSWORD='ab#cd'\n# REDIS_PASSWORD=x#y\n`);
    const { out } = await sandbox.run(['doctor', '--env-file', file, '--connection-only', '--json'], { env: {} });
    assert.ok(!/without quotes/.test(out));
  });

  test('says that the database of the address is not there', async () => {
    await using open = await startServer();
    const file = sandbox.path('database.env');
    await writeFile(file, `REDIS_URL=redis://127.0.0.1:${open.port}/99\n`);
    const { out, code } = await sandbox.run(['doctor', '--env-file', file, '--connection-only'], { env: {} });
    assert.equal(code, ExitCode.Connection);
    assert.match(out, /SELECT 99: .*out of range/);
    await writeFile(file, `REDIS_URL=redis://127.0.0.1:${open.port}/7\n`);
    assert.equal(
      (await sandbox.run(['doctor', '--env-file', file, '--connection-only'], { env: {} })).code,
      ExitCode.Ok,
    );
  });

  test('says what holds a server up that answers nothing else', async () => {
    await using busy = await startServer({ config: { 'busy-reply-threshold': '200', 'enable-debug-command': 'yes' } });
    const loop = "local t = redis.call('TIME')[1] while redis.call('TIME')[1] - t < 60 do end return 1";
    const running = busy.command('EVAL', loop, '0').catch(() => undefined);
    await waitFor(async () =>
      busy.command('PING').then(
        () => false,
        (error: Error) => /BUSY/.test(error.message),
      ),
    );
    const found = await sandbox.run(['doctor', busy.url, '--seconds', '1'], { env: {} });
    await busy.command('SCRIPT', 'KILL');
    await running;
    assert.equal(found.code, ExitCode.Connection, found.err);
    assert.match(found.out, /BUSY/);
    assert.match(found.out, /SCRIPT KILL/);

    await busy.command('CLIENT', 'PAUSE', '60000', 'WRITE');
    const paused = await sandbox.run(['doctor', busy.url, '--connection-only', '--timeout', '500'], { env: {} });
    await busy.command('CLIENT', 'UNPAUSE');
    assert.equal(paused.code, ExitCode.Connection);
    assert.match(paused.out, /SET: not answered, while PING is/);
    assert.match(paused.out, /CLIENT UNPAUSE/);

    let stopped = false;
    const sleeping = (async () => {
      while (!stopped) await busy.command('DEBUG', 'SLEEP', '0.05');
    })();
    const long = await sandbox.run(['doctor', busy.url, '--seconds', '2', '--keys', '0'], { env: {} });
    stopped = true;
    await sleeping;
    assert.match(long.out, /DEBUG(?: SLEEP)? takes long each time/);
  });

  test('says that the network is wrong when nothing listens', async () => {
    const port = await freePort();
    const { failed } = await connectionTest({ ...working(), REDIS_URL: `rediss://localhost:${port}` });
    assert.equal(failed?.name, 'network');
    assert.match(failed?.hint ?? '', /Nothing listens/);
  });

  test('ends on a server that accepts and says nothing', async () => {
    const silent = createServer((socket) => socket.on('error', () => undefined)).listen(0, '127.0.0.1');
    await new Promise((resolve) => silent.once('listening', resolve));
    const { port } = silent.address() as { port: number };
    const { failed } = await connectionTest({ REDIS_URL: `rediss://127.0.0.1:${port}` });
    silent.close();
    assert.ok(failed);
    assert.match(failed.name, /tls|login/);
  });

  test('names the key pattern when the key is what the user may not write', async () => {
    const { failed } = await connectionTest(working());
    assert.equal(failed?.name, 'permission');
    assert.match(failed?.hint ?? '', /--key-prefix/);
  });

  test('says what it could not see as a user with few rights, and does not fail', async () => {
    await writeFile(sandbox.path('password'), password);
    await chmod(sandbox.path('password'), 0o600);
    const files = secured.tlsFiles!;
    const result = await sandbox.run(
      [
        'doctor',
        `rediss://localhost:${secured.tlsPort}`,
        '--ca',
        files.ca,
        '--cert',
        files.clientCert,
        '--key',
        files.clientKey,
      ]
        .concat(['--user', 'app', '--password-file', sandbox.path('password')])
        .concat(['--key-prefix', 'app:', '--seconds', '1']),
      { env: {} },
    );
    assert.match(result.out, /\? the slow log: this user may not run the command/);
    assert.match(result.out, /Where a command's time goes/);
  });

  test('costs the server less than one hundredth of the time it watches', async () => {
    await Promise.all(Array.from({ length: 5000 }, (_, index) => open.command('SET', `user:${index}:name`, 'x')));
    const result = await sandbox.run(['doctor', `redis://127.0.0.1:${open.port}`, '--seconds', '3', '--json'], {
      env: {},
    });
    const [server] = (JSON.parse(result.out) as Result).servers;
    assert.ok(server!.cost!.commands > 1000, `${server!.cost!.commands} commands`);
    assert.ok(server!.cost!.usec < server!.watchedSeconds! * 1e6 * 0.01, `${server!.cost!.usec} µs`);
  });

  test('refuses files and numbers out of bounds', async () => {
    const file = sandbox.path('compose.yaml');
    await writeFile(file, 'services: {}\n');
    assert.equal((await sandbox.run(['doctor', file], { env: {} })).code, ExitCode.Usage);
    assert.equal(
      (await sandbox.run(['doctor', '--seconds', '0', 'redis://127.0.0.1:1'], { env: {} })).code,
      ExitCode.Usage,
    );
  });
});
