import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { freePort } from '@redkeep/testing';
import fc from 'fast-check';
import { CliSandbox } from '../testing/run-cli.js';
import { quoteDirectiveValue } from './quote.js';

describe('values in generated files', () => {
  let sandbox: CliSandbox;
  beforeEach(async () => {
    sandbox = await CliSandbox.create();
  });
  afterEach(() => sandbox.remove());

  test('are read by the server as they were meant, in the worst of folders and key spaces', async () => {
    const folder = sandbox.path('a "b\' #c $(d) \\x41 é\nf', 'redkeep');
    await mkdir(sandbox.path('a "b\' #c $(d) \\x41 é\nf'));
    const port = String(await freePort());
    const application = 'shop=we"ird\'$(x)`#\\:*,ключ:*,{a}[b-c]?:*';
    const run = async (...args: string[]) => {
      const result = await sandbox.run([...args, '--dir', folder]);
      assert.equal(result.code, 0, result.err);
    };
    await run('init', '--yes', '--port', port, '--name', 'x\nport 6379', '--app', application);
    try {
      await run('up', '--detach');
      await run('status');
      await run('acl', 'test');
      await run('acl', 'diff');
    } finally {
      await run('down');
    }
  });

  test('survive the quoting of redis.conf whatever they are', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (value) => {
        assert.equal(unquote(quoteDirectiveValue(value)), Buffer.from(value, 'utf8').toString('utf8'));
      }),
    );
  });
});

/** The servers' reading of an argument (`sdssplitargs`), for what `quoteDirectiveValue` writes. */
function unquote(text: string): string {
  if (!text.startsWith('"')) {
    assert.doesNotMatch(text, /[\s"'\\]|^#/);
    return text;
  }
  const bytes: number[] = [];
  for (const [, hex, escaped, plain] of text.slice(1, -1).matchAll(/\\x([0-9a-f]{2})|\\(["\\])|([^"\\])/g)) {
    bytes.push(hex === undefined ? (escaped ?? plain)!.charCodeAt(0) : Number.parseInt(hex, 16));
  }
  return Buffer.from(bytes).toString('utf8');
}
