import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sameRules } from './drift.js';

test('rules are compared as sets where their order means nothing', () => {
  const same: readonly [string, string][] = [
    ['on #aa #bb ~a:* ~b:* -@all +get +set', 'on #bb #aa ~b:* ~a:* -@all +set +get'],
    ['on nopass sanitize-payload ~* &* +@all', 'on sanitize-payload nopass &* ~* +@all'],
    ['on #aa ~a -@all +get (~b -@all +set +del) (~c -@all)', 'on #aa ~a -@all +get (~c -@all) (-@all ~b +del +set)'],
    ['on #aa -@all +@read +@read +get', 'on #aa -@all +get +@read'],
  ];
  for (const [left, right] of same) assert.ok(sameRules(left, right), `${left} | ${right}`);
  const different: readonly [string, string][] = [
    ['on #aa -@all +get', 'on #bb -@all +get'],
    ['on #aa -@all +get', 'off #aa -@all +get'],
    // The last of two that disagree wins.
    ['on #aa -@all +@write -flushall', 'on #aa -@all -flushall +@write'],
    ['on #aa ~a -@all +get (~b -@all +set)', 'on #aa ~b -@all +get (~a -@all +set)'],
    ['on #aa %R~a -@all', 'on #aa ~a -@all'],
  ];
  for (const [left, right] of different) assert.ok(!sameRules(left, right), `${left} | ${right}`);
});
