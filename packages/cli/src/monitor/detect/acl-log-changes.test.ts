import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startServer } from '@redkeep/testing';
import fc from 'fast-check';
import { readAclLog } from '../gather/replies.js';
import { aclLogChanges, grown } from './acl-log-changes.js';
import { insideNetworks, networkOf } from './networks.js';

const total = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0);

describe('what ACL LOG gained', () => {
  test('is counted exactly while refusals are grouped and new entries begin', () => {
    // Each number: refusals since the last look; a zero in front of it begins a new entry, as after 60 s.
    const looks = fc.array(
      fc.array(fc.record({ fresh: fc.boolean(), refusals: fc.integer({ min: 1, max: 5 }) }), { maxLength: 4 }),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(looks, (rounds) => {
        let log: number[] = [];
        for (const round of rounds) {
          const before = [...log];
          for (const { fresh, refusals } of round) {
            if (fresh || log.length === 0) log = [refusals, ...log];
            else log = [log[0]! + refusals, ...log.slice(1)];
          }
          const wanted = total(log) - total(before);
          const counted = total(grown(log, before));
          // Two histories can leave the same counts; then the longer common one is taken, which never counts less
          // than nothing and never more than what is there.
          if (counted !== wanted) assert.ok(counted >= 0 && counted <= total(log), `${before} -> ${log}: ${counted}`);
          if (round.every(({ fresh }) => !fresh)) assert.equal(counted, wanted, `${before} -> ${log}`);
        }
      }),
    );
  });

  test('is what a real server refused, look after look', async () => {
    await using server = await startServer({
      users: ['user default on nopass ~* &* +@all', 'user app on >secret ~app:* +get'],
    });
    const look = async () => readAclLog(await server.command('ACL', 'LOG', '128'));
    let { memory } = aclLogChanges(await look(), undefined);
    for (const refusals of [3, 0, 5, 1]) {
      for (let turn = 0; turn < refusals; turn += 1)
        await server.command('AUTH', 'app', `wrong-${turn}`).catch(() => undefined);
      const found = aclLogChanges(await look(), memory);
      memory = found.memory;
      assert.equal(total(found.changes.map(({ count }) => count)), refusals);
      assert.ok(found.changes.every(({ entry }) => entry.reason === 'auth' && entry.address === '127.0.0.1'));
      assert.ok(!JSON.stringify(memory).includes('app'));
    }
  });
});

describe('networks', () => {
  test('are /24 and /64', () => {
    assert.equal(networkOf('10.1.2.3'), '10.1.2.0/24');
    assert.equal(networkOf('2001:db8:0:1::5'), '2001:db8:0:1::/64');
    assert.equal(networkOf('fe80::1'), 'fe80:0:0:0::/64');
  });
  test('contain what they contain', () => {
    assert.ok(insideNetworks('10.1.2.3', ['10.0.0.0/8']));
    assert.ok(insideNetworks('fd00::7', ['10.0.0.0/8', 'fd00::/8']));
    assert.ok(!insideNetworks('11.1.2.3', ['10.0.0.0/8', 'fd00::/8']));
    assert.ok(!insideNetworks('not an address', ['0.0.0.0/0']));
  });
});
