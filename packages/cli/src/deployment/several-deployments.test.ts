import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, rename, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { freePort } from '@redkeep/testing';
import { startMarkOf } from '../engine/process-record.js';
import { renderAnswers } from '../testing/render-answers.js';
import { CliSandbox } from '../testing/run-cli.js';
import { prefixOf, slugOf } from './naming.js';

describe('two deployments', () => {
  test('share no name outside their folders', async () => {
    const names = async (name: string) => {
      const words = new Set<string>();
      for (const target of ['compose', 'systemd', 'kubernetes'] as const) {
        const hosts = target === 'systemd' ? { hosts: ['10.0.0.1', '10.0.0.2', '10.0.0.3'] } : {};
        const files = await renderAnswers({ name, target, topology: 'sentinel', profile: 'production', ...hosts });
        const patterns = [
          /^table (inet \S+) \{/gm,
          /-I INPUT 1 -j (\S+)/g,
          /comment '([^']+)'/g,
          /^name: (\S+)/gm,
          /container_name: (\S+)/g,
          /^StateDirectory=(\S+)/gm,
          /(\/etc\/redkeep\S*)\/nodes/g,
          /secretName: (\S+)/g,
          /^ {2}name: (\S+)/gm,
        ];
        const inside = files.filter(({ path }) => /^(firewall|systemd|kubernetes)\/|compose|kustomization/.test(path));
        const texts = inside.map(({ path, content }) => ({
          path,
          content: target === 'systemd' ? content : content.replaceAll('/etc/redkeep/nodes', ''),
        }));
        for (const { path, content } of texts) {
          if (path.startsWith('systemd/')) words.add(path);
          for (const pattern of patterns) for (const found of content.matchAll(pattern)) words.add(found[1]!);
        }
      }
      return words;
    };
    const [shop, billing] = [await names('shop'), await names('billing')];
    assert.ok(shop.size > 15, [...shop].join(' '));
    assert.deepEqual(
      [...shop].filter((word) => billing.has(word)),
      [],
    );
  });

  test('keep apart what looks alike once it is a name of a host', () => {
    const alike = ['a b', 'a-b', 'a_b', 'A-B', 'ä-b', 'a-b '];
    assert.equal(new Set(alike.map(slugOf)).size, alike.length);
    for (const name of [...alike, 'x'.repeat(200), '日本', '-']) {
      assert.match(prefixOf({ name }), /^redkeep-[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
      assert.ok(prefixOf({ name }).length <= 40);
    }
  });

  const nft = spawnSync('unshare', ['--net', 'nft', 'list', 'ruleset']).status === 0;
  test('load their firewall rules side by side', async (t) => {
    if (!nft) return t.diagnostic('nft may not run here: npm run test:targets requires it');
    const sandbox = await CliSandbox.create();
    try {
      for (const name of ['shop', 'billing']) {
        const port = name === 'shop' ? 7001 : 7002;
        const files = await renderAnswers({ name, port, profile: 'production', sources: ['10.1.0.0/16'] });
        await writeFile(sandbox.path(`${name}.nft`), files.find(({ path }) => path.endsWith('.nft'))!.content);
      }
      const script = 'nft -f "$1" && nft -f "$2" && nft -f "$1" && nft list ruleset';
      const { stdout } = spawnSync(
        'unshare',
        ['--net', 'sh', '-c', script, 'sh', sandbox.path('shop.nft'), sandbox.path('billing.nft')],
        { encoding: 'utf8' },
      );
      for (const port of [7001, 7002]) assert.match(stdout, new RegExp(`dport ${port} counter packets 0 bytes 0 drop`));
    } finally {
      await sandbox.remove();
    }
  });
});

describe('one folder', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
    assert.equal((await sandbox.run(['init', '--yes', '--port', String(await freePort())])).code, 0);
  });
  afterEach(() => sandbox.remove());

  test('is changed by one redkeep at a time, and a killed one locks nobody out', async () => {
    const lock = sandbox.path('redkeep/.lock');
    const holder = { pid: process.pid, startMark: await startMarkOf(process.pid), host: hostname(), command: 'apply' };
    await writeFile(lock, JSON.stringify(holder));
    for (const command of [['up', '--detach'], ['down'], ['apply'], ['certs', 'renew']]) {
      const refused = await sandbox.run(command);
      assert.equal(refused.code, 4, refused.err);
      assert.match(refused.err, /"redkeep apply" \(pid \d+ on .*REDKEEP_BUSY/);
    }
    await writeFile(lock, JSON.stringify({ ...holder, startMark: 'of a process that ended' }));
    const all = await Promise.all([sandbox.run(['up', '--detach']), sandbox.run(['up', '--detach'])]);
    assert.ok(
      all.some(({ code }) => code === 0),
      all.map(({ err }) => err).join(),
    );
    assert.ok(
      all.every(({ code, err }) => code === 0 || /REDKEEP_BUSY/.test(err)),
      all.map(({ err }) => err).join(),
    );
    assert.equal((await sandbox.run(['status'])).code, 0);
    assert.match((await sandbox.run(['down'])).err, /Stopped 1/);
  });

  test('that was copied does not touch the servers of the original, and becomes a deployment of its own', async () => {
    assert.equal((await sandbox.run(['up', '--detach'])).code, 0);
    await cp(sandbox.path('redkeep'), sandbox.path('copy'), { recursive: true });
    const refused = await sandbox.run(['down', '--dir', 'copy']);
    assert.equal(refused.code, 2);
    assert.match(refused.err, /is a copy of .*REDKEEP_DEPLOYMENT_COPIED/);
    assert.equal((await sandbox.run(['status'])).code, 0);

    const port = String(await freePort());
    const adopted = await sandbox.run(['init', '--dir', 'copy', '--adopt', '--yes', '--port', port]);
    assert.equal(adopted.code, 0, adopted.err);
    const up = await sandbox.run(['up', '--detach', '--dir', 'copy']);
    assert.equal(up.code, 0, up.err);
    assert.equal((await sandbox.run(['down', '--dir', 'copy'])).code, 0);
    assert.equal((await sandbox.run(['status'])).code, 0);
  });

  test('that was moved says so, and works again once it is taken for its new place', async () => {
    await sandbox.run(['up', '--detach']);
    await sandbox.run(['down']);
    await rename(sandbox.path('redkeep'), sandbox.path('elsewhere'));
    const refused = await sandbox.run(['up', '--detach', '--dir', 'elsewhere']);
    assert.match(refused.err, /was moved here from/);
    assert.equal((await sandbox.run(['init', '--dir', 'elsewhere', '--adopt', '--yes'])).code, 0);
    assert.equal((await sandbox.run(['up', '--detach', '--dir', 'elsewhere'])).code, 0);
    assert.equal((await sandbox.run(['down', '--dir', 'elsewhere'])).code, 0);
  });
});
