import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { startServer } from '@redkeep/testing';

const run = promisify(execFile);
/** Node before 20.19 cannot require ES modules; this is how a later one behaves like it. */
const OLD_NODE = '--no-experimental-require-module';

async function node(flags: readonly string[], type: 'commonjs' | 'module', code: string): Promise<string> {
  const { stdout } = await run(
    process.execPath,
    [...flags, '--disable-warning=REDKEEP_PLAINTEXT', `--input-type=${type}`, '-e', code],
    { cwd: import.meta.dirname },
  );
  return stdout.trim();
}

const variants: readonly (readonly string[])[] = process.allowedNodeEnvironmentFlags.has(OLD_NODE)
  ? [[], [OLD_NODE]]
  : [[]];
for (const flags of variants) {
  describe(`node ${flags.join(' ')}`, () => {
    test('every way of requiring ioredis gives the class', async () => {
      await using server = await startServer();
      const said = await node(
        flags,
        'commonjs',
        `const Redis = require('@redkeep/ioredis');
         const { Redis: named, default: byDefault, Command, ReplyError } = Redis;
         const { CONNECTION_CLOSED_ERROR_MSG } = require('@redkeep/ioredis/built/utils');
         (async () => {
           const redis = new Redis(${server.port}, '127.0.0.1');
           await redis.set('key', 'value');
           const failure = await redis.hgetall('key').catch((error) => error);
           console.log(
             await redis.get('key'), named === Redis, byDefault === Redis, typeof Command,
             failure instanceof ReplyError, redis.constructor.name, CONNECTION_CLOSED_ERROR_MSG,
           );
           await redis.quit();
         })();`,
      );
      assert.equal(said, 'value true true function true Redis Connection is closed.');
    });

    test('import and require give one and the same class, also of redkeep itself', async () => {
      const said = await node(
        flags,
        'module',
        `import Redis, { Redis as named } from '@redkeep/ioredis';
         import own from 'redkeep/ioredis';
         import { ErrorReply } from 'redkeep';
         import { createRequire } from 'node:module';
         const required = createRequire(process.cwd() + '/x.js')('@redkeep/ioredis');
         console.log(Redis === named, Redis === own, Redis === required, Redis.ReplyError === ErrorReply);`,
      );
      assert.equal(said, 'true true true true');
    });
  });
}
