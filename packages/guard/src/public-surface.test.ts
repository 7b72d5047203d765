import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callWithHostileValues } from '@redkeep/testing';
import { RedkeepError } from 'redkeep';
import * as guard from './index.js';

test('every component and function answers nonsense with an error that has a code and a hint', async () => {
  const functions = Object.fromEntries(
    Object.entries(guard).filter(
      ([, value]) => typeof value === 'function' && !(value.prototype instanceof RedkeepError),
    ),
  );
  const { calls, surprises } = await callWithHostileValues(functions, (error) => error instanceof RedkeepError);
  assert.ok(calls > 3000, `${calls} calls`);
  assert.deepEqual(
    surprises.map(({ name, args, error }) => `${name}(${args.join(', ')}): ${String(error)}`),
    [],
  );
});
