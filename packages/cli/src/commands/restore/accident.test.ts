import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { freePort, waitFor } from '@redkeep/testing';
import { dataNodes } from '../../deployment/model.js';
import { openDeployment } from '../../testing/open-deployment.js';
import { CliSandbox } from '../../testing/run-cli.js';
import { Writer } from '../../testing/writer.js';
import type { TopologyName } from '../../vocabulary/names.js';

// docs/backup.md, "After an accident", word by word. `npm run test:kills` does it with Sentinel and Cluster, too.
const topologies: readonly TopologyName[] =
  process.env['REDKEEP_KILLS'] === 'full' ? ['single', 'sentinel', 'cluster'] : ['single'];
const bin = fileURLToPath(new URL('../../../bin/redkeep.js', import.meta.url));

/** The commands of the page, with a time and files of this test in the place of its own. */
async function documented(at: string): Promise<string[][]> {
  const page = await readFile(new URL('../../../../../docs/backup.md', import.meta.url), 'utf8');
  const block = /### After an accident[\s\S]*?```sh\n([\s\S]*?)```/.exec(page)![1]!;
  const lines = block.split('\n').filter((line) => line.startsWith('redkeep '));
  return lines.map((line) =>
    line
      .replace(/ +#.*$/, '')
      .replace('2026-03-01T14:03:06Z', at)
      .split(' ')
      .slice(1),
  );
}

for (const topology of topologies) {
  test(`FLUSHALL on a ${topology} deployment: back to the second before, as the page says`, async () => {
    const sandbox = await CliSandbox.create();
    const made = ['--topology', topology, '--profile', 'production', '--port', String(await freePort())];
    assert.equal((await sandbox.run(['init', '--yes', ...made, '--memory', '100'])).code, 0);
    const up = await sandbox.run(['up', '--detach']);
    assert.equal(up.code, 0, up.err);
    const { deployment, connect } = await openDeployment(sandbox);
    const nodes = dataNodes(deployment);
    const recipient = (await sandbox.run(['backup', 'key', 'new', 'operations.age-key'])).out.trim();
    const config = { store: '../../store', recipients: [recipient] };
    await writeFile(sandbox.path('redkeep/backup/backup.json'), JSON.stringify(config));
    const archive = spawn(process.execPath, [bin, 'backup', 'archive', '--seal-seconds', '1'], {
      cwd: sandbox.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    archive.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
    try {
      const shards = nodes.filter(({ role }) => role === 'primary').length;
      await waitFor(() => said.split('base of').length > shards, { timeout: 120_000, message: 'a base of each shard' });
      const writer = await Writer.start(sandbox.path('redkeep'));
      await waitFor(() => writer.acknowledged > 500, { timeout: 60_000, message: 'writes' });
      const open = nodes;
      if (topology === 'sentinel') {
        const primary = await connect('admin', nodes[0]!);
        const pid = Number(/process_id:(\d+)/.exec(String(await primary.sendCommand(['INFO', 'server'])))![1]);
        primary.destroy();
        process.kill(pid, 'SIGKILL');
        const before = writer.acknowledged;
        await waitFor(() => writer.acknowledged > before + 500, {
          timeout: 120_000,
          message: 'writes after a failover',
        });
      }
      const { acknowledged, lost } = await writer.stop();
      assert.equal(lost, 0);
      const second = Math.ceil(Date.now() / 1000);
      await waitFor(() => Date.now() / 1000 > second + 1.2, { message: 'the second of the accident' });
      for (const node of open) {
        const admin = await connect('admin', node).catch(() => undefined);
        if (admin && String(await admin.sendCommand(['ROLE'])).startsWith('master')) await admin.flushAll();
        admin?.destroy();
      }
      // The applications go on until somebody notices.
      const unaware = await Writer.start(sandbox.path('redkeep'));
      await waitFor(() => unaware.acknowledged > 100, { timeout: 60_000, message: 'writes after the accident' });
      const later = await unaware.stop();
      await waitFor(
        async () => {
          const list = JSON.parse((await sandbox.run(['backup', 'list', '--json'])).out);
          const ends = list.histories.map(({ to }: { to: string }) => Date.parse(to) / 1000) as number[];
          return Math.min(...ends) > second + 1;
        },
        { timeout: 120_000, interval: 1000, message: 'the accident in the store' },
      );
      const at = new Date(second * 1000).toISOString().replace('.000', '');
      for (const words of await documented(at)) {
        const { code, err } = await sandbox.run(words);
        assert.equal(code, 0, `${words.join(' ')}: ${err}`);
      }
      let there = 0;
      for (const node of open) {
        const admin = await connect('admin', node).catch(() => undefined);
        if (admin && String(await admin.sendCommand(['ROLE'])).startsWith('master')) {
          for (const key of await admin.sendCommand<string[]>(['KEYS', 'app:written:*']))
            there += await admin.hLen(key);
        }
        admin?.destroy();
      }
      assert.equal(there, acknowledged, `${later.acknowledged} were written after it`);
    } finally {
      archive.kill('SIGKILL');
      if (archive.exitCode === null && archive.signalCode === null) await once(archive, 'exit');
      await sandbox.remove();
    }
  });
}
