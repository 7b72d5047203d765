import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startServer } from '@redkeep/testing';

const run = promisify(execFile);
/** Node before 20.19 cannot require ES modules; this is how a later one behaves like it. */
const OLD_NODE = '--no-experimental-require-module';

/** Runs code in a process of its own, where both formats are loaded. */
async function node(flags: readonly string[], code: string): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [...flags, '--disable-warning=REDKEEP_PLAINTEXT', '--input-type=commonjs', '-e', code],
    { cwd: import.meta.dirname },
  );
  return stdout.trim();
}

// A Node that does not know the flag is itself an old one.
const variants: readonly (readonly string[])[] = process.allowedNodeEnvironmentFlags.has(OLD_NODE)
  ? [[], [OLD_NODE]]
  : [[]];
for (const flags of variants) {
  describe(`node ${flags.join(' ')}`, () => {
    test('require gives a client that works', async () => {
      await using server = await startServer();
      const said = await node(
        flags,
        `const { createClient } = require('redkeep');
         (async () => {
           const client = createClient({ url: 'redis://127.0.0.1:${server.port}' });
           await client.connect();
           await client.set('key', 'value');
           console.log(await client.get('key'));
           await client.close();
         })();`,
      );
      assert.equal(said, 'value');
    });

    test('require and import give one and the same instance, with the same names', async () => {
      const said = await node(
        flags,
        `const cjs = require('redkeep');
         import('redkeep').then((esm) => {
           const names = (module) => Object.keys(module).filter((n) => !['default', '__esModule', 'module.exports'].includes(n)).sort().join();
           console.log(cjs.ErrorReply === esm.ErrorReply, cjs.createClient === esm.createClient, names(cjs) === names(esm));
         });`,
      );
      assert.equal(said, 'true true true');
    });
  });
}
