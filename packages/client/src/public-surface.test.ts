import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callWithHostileValues } from '@redkeep/testing';
import { RedkeepError } from './errors.js';
import * as redkeep from './index.js';
import * as ioredis from './ioredis/index.js';
import * as nodeRedis from './node-redis/index.js';

/** Constructors and factories: errors are made where they are raised, and `print` is a callback that shows anything. */
const isCalledByUsers = ([name, value]: [string, unknown]) =>
  typeof value === 'function' &&
  value !== RedkeepError &&
  !(value.prototype instanceof RedkeepError) &&
  name !== 'print';

for (const [entry, exports, least] of [
  ['redkeep', redkeep, 20],
  ['redkeep/node-redis', nodeRedis, 10],
  ['redkeep/ioredis', ioredis, 5],
] as const) {
  test(`every constructor and factory of ${entry} answers nonsense with an error that has a code and a hint`, async () => {
    const functions = Object.fromEntries(Object.entries(exports).filter(isCalledByUsers));
    // The second argument of RedisClient is internal, and trusted if it is a function.
    const { RedisClient, ...others } = functions;
    assert.ok(Object.keys(others).length >= least, Object.keys(others).join(' '));
    const { calls, surprises } = await callWithHostileValues(others, (error) => error instanceof RedkeepError);
    assert.ok(calls >= least * 60);
    assert.deepEqual(
      surprises.map(({ name, args, error }) => `${name}(${args.join(', ')}): ${String(error)}`),
      [],
    );
  });
}

test('required options and values out of bounds are named', () => {
  for (const [call, message] of [
    [() => redkeep.fromFile({} as never), 'password: is missing'],
    [
      () => redkeep.fromFile({ password: '/x', pollIntervalMs: 0 }),
      'pollIntervalMs: must be milliseconds from 1 to 2147483647',
    ],
    [() => redkeep.fromFile({ password: '/x', username: {} } as never), 'username.file: is missing'],
    [() => redkeep.fromFile({ passwort: '/x' } as never), 'passwort: is not an option; did you mean password?'],
    [() => redkeep.fromVault({} as never), 'path: is missing'],
    [
      () => redkeep.fromVault({ path: 'p', address: 'vault' }),
      'address: must be a URL, such as https://vault.example:8200',
    ],
    [() => redkeep.fromVault({ path: 'p', auth: { roleId: 'r' } } as never), 'auth.secretId: is missing'],
    [() => redkeep.fromEnv({ password: '' }), 'password: must be a string that is not empty'],
    [() => redkeep.fromCallback(undefined as never), 'callback: must be a function'],
    [
      () => redkeep.fromAwsSecretsManager({ secretId: 's', client: {} } as never),
      'client: must be a SecretsManager of the AWS SDK, with getSecretValue()',
    ],
    [() => redkeep.createCluster({} as never), 'rootNodes: is missing'],
    [
      () => redkeep.createCluster({ rootNodes: [] }),
      'rootNodes: must be an array of client options, with one node or more',
    ],
    [
      () => redkeep.createSentinel({ name: 'm', sentinelRootNodes: [{ host: 'h' }] } as never),
      'sentinelRootNodes[0].port: is missing',
    ],
    [() => new redkeep.BasicClientSideCache({ ttl: Number.NaN }), 'ttl: must be milliseconds from 0 to 2147483647'],
    [() => new redkeep.Secret(1 as never), 'Secret: must hold a string'],
    [
      () => redkeep.defineScript({} as never),
      'defineScript: must be given SCRIPT, a string or a Buffer, and parseCommand()',
    ],
    [() => new ioredis.Redis(Symbol('s') as never), 'options: must be an object, a port or a URL, not a symbol'],
    [
      () => new ioredis.Cluster([]),
      'startupNodes: should contain at least one node, as { host, port }, a port or a URL',
    ],
  ] as const)
    assert.throws(call, { name: 'InvalidOptionError', code: 'REDKEEP_INVALID_OPTION', message });
});
