import assert from 'node:assert/strict';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { freePort } from '@redkeep/testing';
import { identityToRecipient } from 'age-encryption';
import { identityOfWords } from '../../backup/keys/identity-words.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';

test('docs/all-hosts-lost.md, rehearsed: a store and a sheet of paper bring everything back', async () => {
  const lost = await CliSandbox.create();
  const fresh = await CliSandbox.create();
  // A machine that has nothing of the old ones, not even in its home.
  const env = { ...process.env, HOME: fresh.folder, XDG_STATE_HOME: undefined };
  const run = (args: readonly string[]) => fresh.run(args, { env });
  try {
    // What there was.
    await lost.run(['init', '--yes', '--port', String(await freePort())]);
    assert.equal((await lost.run(['up', '--detach'])).code, 0);
    const recipient = (await lost.run(['backup', 'key', 'new', 'identity.txt'])).out.trim();
    const before = await (await openDeployment(lost)).connect('admin');
    // A server waits for more replicas before it sends a snapshot; here there are none.
    await before.configSet('repl-diskless-sync-delay', '0');
    for (let key = 0; key < 50; key++) await before.set(`order:${key}`, `paid ${key}`);
    before.destroy();
    assert.equal((await lost.run(['backup', 'run', '--store', 'store', '--recipient', recipient])).code, 0);
    const source = JSON.parse((await lost.run(['backup', 'list', '--store', 'store', '--json'])).out).source as string;
    const kit = await lost.run([
      ...['backup', 'key', 'kit', 'kit.html', '--store', 'store', '--source', source, '--identity', 'identity.txt'],
    ]);
    assert.equal(kit.code, 0, kit.err);
    const paper = await readFile(lost.path('kit.html'), 'utf8');
    await lost.run(['down']);

    // What is left: the store, and what is on the paper.
    await rename(lost.path('store'), fresh.path('store'));
    const words = [...paper.matchAll(/<li value="\d+">([a-z]+)<\/li>/g)].map(([, word]) => word).join(' ');
    const identity = identityOfWords(words);
    await writeFile(fresh.path('recovered.key'), `${identity}\n`, { mode: 0o600 });
    assert.ok(paper.includes(await identityToRecipient(identity)));
    const trust = /3\. The hosts that wrote them<\/h2><pre>([^<]+)<\/pre>/.exec(paper)![1]!.trim().split('\n');
    const from = ['--store', 'store', '--source', source, '--trust', ...trust];

    const listed = await run(['backup', 'list', ...from]);
    assert.equal(listed.code, 0, listed.err);
    assert.equal((await run(['backup', 'verify', ...from])).code, 0);
    assert.equal((await run(['backup', 'verify', '--store', 'store', '--source', source])).code, 3);
    const proved = await run(['backup', 'prove', ...from, '--identity', 'recovered.key']);
    assert.equal(proved.code, 0, proved.err);
    await run(['init', '--yes', '--port', String(await freePort())]);
    assert.equal((await run(['up', '--detach'])).code, 0);
    const back = await run(['restore', ...from, '--identity', 'recovered.key', '--into', 'redkeep', '--yes']);
    assert.equal(back.code, 0, back.err);
    const after = await (await openDeployment(fresh)).connect('admin');
    assert.equal(await after.get('order:49'), 'paid 49');
    assert.equal(Number(await after.dbSize()), 50);
    after.destroy();
  } finally {
    await lost.remove();
    await fresh.remove();
  }
});
