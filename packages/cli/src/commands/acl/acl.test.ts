import assert from 'node:assert/strict';
import { appendFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { freePort } from '@redkeep/testing';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

describe('redkeep acl', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    await sandbox.run([
      'init',
      '--yes',
      '--port',
      String(await freePort()),
      '--app',
      'shop',
      '--read-only',
      'reader=shop:*',
    ]);
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
  });
  afterEach(() => sandbox.remove());

  const acl = (...args: string[]) => sandbox.run(['acl', ...args]);
  async function asAdmin(...command: string[]) {
    const { connect } = await openDeployment(sandbox);
    const client = await connect('admin');
    try {
      return await client.sendCommand(command);
    } finally {
      client.destroy();
    }
  }

  test('explains a user in words and by what the server says', async () => {
    const { code, out } = await acl('explain', 'shop');
    assert.equal(code, 0);
    assert.match(out, /Keys: reads and writes shop:\*/);
    assert.match(out, /every command for: .*hashes/);
    assert.match(out, /some for: .*dangerous commands \(\d+ of \d+\)|none for: .*dangerous commands/);
    assert.match(out, /none for: .*administration/);
    assert.match((await acl('explain', 'admin')).out, /every command for: .*administration, dangerous commands/);
    assert.match(out, /allows: GET shop:x, SET shop:x v, DEL shop:x/);
    assert.match(out, /refuses: .*FLUSHALL.*GET redkeep-foreign-key/);
  });

  test('test finds a right that was granted behind its back, and diff shows it', async () => {
    assert.equal((await acl('test')).code, 0);
    assert.equal((await acl('diff')).code, 0);
    await asAdmin('ACL', 'SETUSER', 'shop', '+flushall');
    const test = await acl('test');
    assert.equal(test.code, 1);
    assert.match(test.out, /shop: FLUSHALL is allowed and must not be/);
    const diff = await acl('diff');
    assert.equal(diff.code, 1);
    assert.match(diff.out, /node-1 shop: different/);
    assert.doesNotMatch(diff.out, /[0-9a-f]{64}/);
  });

  test('test finds a right that is missing', async () => {
    await asAdmin('ACL', 'SETUSER', 'reader', '-get');
    const { code, out } = await acl('test');
    assert.equal(code, 1);
    assert.match(out, /reader: GET shop:x is refused and must be allowed/);
  });

  test('apply brings the server in line with the file, and its undo puts back what was', async () => {
    await asAdmin('ACL', 'SETUSER', 'intruder', 'on', 'nopass', '+@all', '~*');
    const file = sandbox.path('redkeep/nodes/node-1/users.acl');
    await appendFile(file, `user late on #${'0'.repeat(64)} resetchannels -@all +ping\n`);
    const applied = await acl('apply', '--yes');
    assert.equal(applied.code, 0, applied.err);
    assert.match(applied.out, /adds late[\s\S]*removes intruder/);
    assert.equal((await acl('diff')).code, 0);

    const [undo] = (await readdir(sandbox.path('redkeep/backups'))).filter((name) => name.startsWith('acl-'));
    assert.equal((await acl('apply', '--yes', '--undo', sandbox.path('redkeep/backups', undo!))).code, 0);
    const users = (await asAdmin('ACL', 'USERS')) as unknown as string[];
    assert.ok(users.includes('intruder') && !users.includes('late'));
  });

  test('apply asks first, and says what it needs without a terminal', async () => {
    await asAdmin('ACL', 'SETUSER', 'shop', '+flushall');
    const { code, err } = await acl('apply');
    assert.equal(code, 2);
    assert.match(err, /REDKEEP_CONSENT_NEEDED/);
    assert.equal((await acl('diff')).code, 1);
  });

  test('learn needs consent, then proposes what was run by that user alone', async () => {
    assert.match((await acl('learn', 'shop')).err, /REDKEEP_CONSENT_NEEDED/);
    const { connect } = await openDeployment(sandbox);
    const shop = await connect('shop');
    const reader = await connect('reader');
    try {
      const work: Promise<unknown>[] = [];
      const result = await sandbox.run(['acl', 'learn', 'shop', '--seconds', '2', '--consent-to-monitor'], {
        onText: (text) => {
          if (text.includes('Watching'))
            work.push(
              shop.set('shop:{1}', 'v'),
              shop.hSet('cart:1', 'a', '1').catch(() => 0),
              reader.get('shop:2'),
            );
        },
      });
      await Promise.all(work);
      assert.equal(result.code, 0, result.err);
      assert.match(result.out, /~shop:\* -@all \+set$/m);
      assert.doesNotMatch(result.out, /\+get/);
    } finally {
      shop.destroy();
      reader.destroy();
    }
  });

  test('learn refuses to propose for a worker on short connections, and says what it could attribute', async () => {
    const { connect } = await openDeployment(sandbox);
    const worker = async (done: () => boolean) => {
      const six = [
        ['SET', 'shop:1', 'v'],
        ['GET', 'shop:1'],
        ['HSET', 'shop:h', 'a', '1'],
        ['LPUSH', 'shop:l', 'x'],
        ['INCR', 'shop:n'],
        ['EXPIRE', 'shop:1', '60'],
      ];
      for (let at = 0; !done(); at += 1) {
        const client = await connect('shop');
        await client.sendCommand(six[at % six.length]!);
        client.destroy();
      }
    };
    const learn = async (...flags: string[]) => {
      let ended = false;
      let work: Promise<void> | undefined;
      const args = ['acl', 'learn', 'shop', '--seconds', '2', '--consent-to-monitor', ...flags];
      const result = await sandbox.run(args, {
        onText: (text) => {
          if (text.includes('Watching')) work = worker(() => ended);
        },
      });
      ended = true;
      await work;
      return result;
    };
    const refused = await learn();
    assert.equal(refused.code, 3, refused.out);
    assert.match(refused.err, /REDKEEP_ATTRIBUTION_INCOMPLETE/);
    assert.match(refused.err, /--from client[\s\S]*--seconds[\s\S]*--accept-unattributed/);
    const [, share] = /Attributed to shop: \d+ of \d+ commands that it may have run \(([\d.]+) %\)/.exec(refused.out)!;
    assert.ok(Number(share) < 95, share);
    assert.match(refused.out, /Not attributed to anybody: .*incr \d+/);
    assert.doesNotMatch(refused.out, /"only"/);
    const accepted = await learn('--accept-unattributed', '100');
    assert.equal(accepted.code, 0, accepted.err);
    assert.equal((await learn('--accept-unattributed', '101')).code, 2);
  });

  test('learn attributes a connection that stays open, its scripts too, and says so in JSON', async () => {
    const { connect } = await openDeployment(sandbox);
    const shop = await connect('shop');
    const reader = await connect('reader');
    let ended = false;
    const work: Promise<unknown>[] = [];
    const loop = async () => {
      while (!ended) {
        await Promise.all([shop.set('shop:1', 'v'), shop.incr('shop:n'), reader.get('shop:1')]);
        await shop.sendCommand(['EVAL', "return redis.call('llen', KEYS[1])", '1', 'shop:l']).catch(() => undefined);
      }
    };
    try {
      await asAdmin('ACL', 'SETUSER', 'shop', '+eval');
      const args = ['acl', 'learn', 'shop', '--seconds', '2', '--consent-to-monitor'];
      // With --json nothing is written before the end: the work goes on all the time.
      work.push(loop());
      const { code, out, err } = await sandbox.run([...args, '--json']);
      assert.equal(code, 0, err);
      const { attribution, answer } = JSON.parse(out);
      assert.ok(attribution.percent >= 95 && attribution.attributed > 10, out);
      assert.ok(attribution.attributed <= attribution.possible, out);
      assert.deepEqual(answer.only, ['eval', 'incr', 'llen', 'set']);
      const text = await sandbox.run(args);
      assert.match(text.out, /Attributed to shop: \d+ of \d+ commands that it may have run \((?:9[5-9]|100)/);
      assert.match(text.out, /-@all \+eval \+incr \+llen \+set$/m);
    } finally {
      ended = true;
      await Promise.all(work);
      shop.destroy();
      reader.destroy();
    }
  });

  test('learn sees every key of a command, reads and writes apart, and channels', async () => {
    const { connect } = await openDeployment(sandbox);
    const admin = await connect('admin');
    const work: Promise<unknown>[] = [];
    try {
      const { code, out, err } = await sandbox.run(
        ['acl', 'learn', 'admin', '--seconds', '2', '--consent-to-monitor'],
        {
          onText: (text) => {
            if (!text.includes('Watching')) return;
            for (const command of [
              ['MSET', 'a:1', 'v', 'b:1', 'v'],
              ['MGET', 'c:1', 'd:1'],
              ['EVAL', 'return redis.call("get", KEYS[1])', '1', 'e:1', 'value'],
              ['ZUNIONSTORE', 'f:1', '2', 'g:1', 'h:1'],
              ['PUBLISH', 'news:today', 'v'],
              ['OBJECT', 'ENCODING', 'i:1'],
            ]) {
              work.push(admin.sendCommand(command));
            }
          },
        },
      );
      await Promise.all(work);
      assert.equal(code, 0, err);
      for (const rule of [
        '%R~c:*',
        '%R~d:*',
        '~a:*',
        '~b:*',
        '~e:*',
        '~f:*',
        '~g:*',
        '~h:*',
        '&news:*',
        '%R~i:*',
        '+object|encoding',
      ]) {
        assert.ok(out.includes(` ${rule}`), `${rule} in ${out}`);
      }
      assert.doesNotMatch(out, /value/);
    } finally {
      admin.destroy();
    }
  });

  test('learn counts on the server without consent, and takes what a client recorded', async () => {
    const { connect } = await openDeployment(sandbox);
    const shop = await connect('shop');
    const work: Promise<unknown>[] = [];
    const counted = await sandbox.run(['acl', 'learn', 'shop', '--from', 'commandstats', '--seconds', '1'], {
      onText: (text) => text.includes('Counting') && work.push(shop.hSet('shop:1', 'a', '1')),
    });
    await Promise.all(work);
    shop.destroy();
    assert.equal(counted.code, 0, counted.err);
    assert.match(counted.out, /Everybody together .*\n {2}.*\+hset/);

    await writeFile(
      sandbox.path('recorded'),
      '{"command":"GET"}\n["SET","shop:1"]\n# TYPE x counter\nx{command="expire",server="a"} 12\nTTL\n',
    );
    const recorded = await acl('learn', 'shop', '--from', 'client', '--file', 'recorded');
    assert.equal(recorded.code, 0, recorded.err);
    assert.match(recorded.out, /shop ran 15 commands/);
    assert.match(recorded.out, /~shop:\* -@all \+expire \+get \+set \+ttl$/m);

    await writeFile(sandbox.path('recorded'), 'GET\n; rm -rf\n');
    const wrong = await acl('learn', 'shop', '--from', 'client', '--file', 'recorded');
    assert.match(wrong.err, /recorded, line 2 names no command/);
  });

  test('what was learned becomes the users of the deployment', async () => {
    const config = JSON.parse(await readFile(sandbox.path('redkeep/redkeep.config.json'), 'utf8'));
    const learned = { name: 'shop', keys: ['shop:*'], only: ['set', 'client|no-evict'] };
    config.applications = [learned, ...config.applications.slice(1)];
    await writeFile(sandbox.path('narrow.json'), JSON.stringify(config));
    assert.equal((await sandbox.run(['init', '--yes', '--force', '--config', 'narrow.json'])).code, 0);
    assert.equal((await acl('apply', '--yes')).code, 0);
    const { connect } = await openDeployment(sandbox);
    const shop = await connect('shop');
    assert.equal(await shop.set('shop:1', 'v'), 'OK');
    await assert.rejects(shop.get('shop:1'), /NOPERM/);
    shop.destroy();
    assert.equal((await acl('test')).code, 0);
    assert.equal((await acl('diff')).code, 0);
  });

  test('tests and compares every node, sentinels too, and reports files that do not agree', async () => {
    await sandbox.run(['down']);
    const dir = ['--dir', 'trio'];
    const port = String(await freePort());
    assert.equal((await sandbox.run(['init', '--yes', '--topology', 'sentinel', '--port', port, ...dir])).code, 0);
    assert.equal((await sandbox.run(['up', '--detach', ...dir])).code, 0);
    try {
      const test = JSON.parse((await acl('test', '--json', ...dir)).out);
      assert.deepEqual(test.wrong, []);
      assert.match((await acl('diff', ...dir)).out, /Every node runs with the users of its file/);
      const file = sandbox.path('trio/nodes/sentinel-2/users.acl');
      await appendFile(file, `user late on #${'0'.repeat(64)} resetchannels -@all +ping\n`);
      const diff = await acl('diff', ...dir);
      assert.equal(diff.code, 1);
      assert.match(diff.out, /sentinel-2 late: missing/);
      assert.match(diff.out, /late: the file of sentinel-2 has other rules than that of sentinel-1/);
      assert.equal((await acl('apply', '--yes', ...dir)).code, 0);
      assert.doesNotMatch((await acl('diff', ...dir)).out, /missing/);
    } finally {
      await sandbox.run(['down', ...dir]);
    }
  });

  test('names the users when asked for one that is not', async () => {
    const { code, err } = await acl('explain', 'nobody');
    assert.equal(code, 2);
    assert.match(err, /admin, monitoring, auditor, backup, shop, reader/);
  });

  test('leaves the ACL file without a password in it', async () => {
    const text = await readFile(sandbox.path('redkeep/nodes/node-1/users.acl'), 'utf8');
    assert.match(text, /^user default off /);
    assert.doesNotMatch(text, / >/);
  });
});
