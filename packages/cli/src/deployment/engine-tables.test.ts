import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  dragonflyCommands,
  dragonflyFlags,
  redis62Directives,
  valkey72Directives,
} from '../testing/published-settings.js';
import { renderAnswers } from '../testing/render-answers.js';
import { topologyNames } from '../vocabulary/names.js';
import type { AnswersInput } from './answers.js';

const applications = [
  { name: 'app', keys: ['app:*'], channels: ['app:*'] },
  { name: 'web', role: 'session-store' as const, keys: ['web:*'] },
  { name: 'reader', role: 'read-only' as const, keys: ['app:*'] },
];

/** The first word of each line of the configuration files, in the easiest and the strictest profile. */
async function firstWords(answers: AnswersInput, topologies: readonly string[]): Promise<Set<string>> {
  const found = new Set<string>();
  for (const profile of ['development', 'regulated']) {
    for (const topology of topologies) {
      const files = await renderAnswers({ ...answers, applications, profile, topology } as AnswersInput);
      for (const { path, content } of files.filter((file) => /\/(server|sentinel)\.conf$/.test(file.path))) {
        const lines = content.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
        assert.ok(lines.length > 10, path);
        for (const line of lines) found.add(line.split(/[ =]/)[0]!);
      }
    }
  }
  return found;
}

const unknownTo = (known: ReadonlySet<string>, words: Iterable<string>) =>
  [...words].filter((word) => !known.has(word));

describe('what is written for an engine that is not here', () => {
  test('holds only directives that Redis 6.2 knows', async () => {
    const words = await firstWords({ engine: 'redis', engineVersion: '6.2' }, topologyNames);
    assert.deepEqual(unknownTo(redis62Directives, words), []);
    const newer = await firstWords({ engine: 'redis', engineVersion: '7.0' }, topologyNames);
    assert.ok(unknownTo(redis62Directives, newer).includes('enable-debug-command'));
  });

  test('gives the bus of Redis 6.2 the port that it takes, and refuses one that leaves it none', async () => {
    const cluster = { engine: 'redis', engineVersion: '6.2', topology: 'cluster' } as const;
    const files = await renderAnswers({ ...cluster, port: 31_000 });
    assert.match(files.find(({ path }) => path === 'firewall/redkeep.nft')!.content, /dport \{ 41000, 41001,/);
    await assert.rejects(renderAnswers({ ...cluster, port: 60_000 }), /has no room for its bus/);
  });

  test('holds only directives that Valkey 7.2 knows', async () => {
    const words = await firstWords({ engine: 'valkey', engineVersion: '7.2' }, topologyNames);
    assert.deepEqual(unknownTo(valkey72Directives, words), []);
  });

  test('holds only flags that Dragonfly publishes', async () => {
    const words = await firstWords({ engine: 'dragonfly', engineVersion: '1.30' }, ['single']);
    assert.deepEqual(
      unknownTo(
        dragonflyFlags,
        [...words].map((word) => word.replace(/^--/, '')),
      ),
      [],
    );
  });

  test('names only commands that Dragonfly has, and lets everybody log in', async () => {
    const files = await renderAnswers({ engine: 'dragonfly', engineVersion: '1.22', applications });
    const lines = files
      .find(({ path }) => path.endsWith('users.acl'))!
      .content.trim()
      .split('\n');
    for (const line of lines) {
      const commands = line.split(' ').filter((rule) => /^[+-][a-z]/.test(rule));
      assert.deepEqual(
        unknownTo(
          dragonflyCommands,
          commands.map((rule) => rule.slice(1)),
        ),
        [],
      );
      assert.ok(line.includes('+@all') || line.includes('+auth +hello'), line);
    }
  });

  test('is refused for releases that lack what a hardened deployment is made of', async () => {
    for (const [engine, engineVersion] of [
      ['redis', '6.0'],
      ['valkey', '7.0'],
      ['dragonfly', '1.21'],
    ] as const) {
      await assert.rejects(renderAnswers({ engine, engineVersion }), /is too old/);
    }
  });
});
