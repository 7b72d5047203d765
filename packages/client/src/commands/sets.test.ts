import { built, sorted, testGroup } from '../testing/protocols.js';
import * as sets from './sets.js';

testGroup('sets', {
  module: sets,
  cases: [
    [(c) => c.sAdd('s', ['a', 'b', 'c']), 3],
    [(c) => c.sAdd('t', 'b'), 1],
    [(c) => c.sCard('s'), 3],
    [(c) => c.sMembers('s'), sorted('a', 'b', 'c')],
    [(c) => c.sDiff(['s', 't']), sorted('a', 'c')],
    [(c) => c.sInter(['s', 't']), ['b']],
    [(c) => c.sUnion(['s', 't']), sorted('a', 'b', 'c')],
    [(c) => c.sDiffStore('d', ['s', 't']), 2],
    [(c) => c.sInterStore('d', ['s', 't']), 1],
    [(c) => c.sUnionStore('d', 's'), 3],
    [(c) => c.sInterCard(['s', 'd'], { LIMIT: 2 }), 2],
    [(c) => c.sInterCard(['s', 'd'], 1), 1],
    [(c) => c.sIsMember('s', 'a'), 1],
    [(c) => c.smIsMember('s', ['a', 'z']), [1, 0]],
    [(c) => c.sMove('s', 't', 'a'), 1],
    [(c) => c.sRandMember('none'), null],
    [(c) => c.sRandMemberCount('s', 9), sorted('b', 'c')],
    [(c) => c.sScan('d', '0', { COUNT: 100, MATCH: 'a' }), { cursor: '0', members: ['a'] }],
    [(c) => c.sRem('s', ['b', 'z']), 1],
    [(c) => c.sPop('s'), 'c'],
    [(c) => c.sPop('s'), null],
    [(c) => c.sPopCount('t', 9), sorted('a', 'b')],
  ],
  wire: [
    [sets.sInterCard(['a', 'b'], { LIMIT: 2 }), 'SINTERCARD 2 a b LIMIT 2', 'a b'],
    [sets.sDiffStore('d', ['a', 'b']), 'SDIFFSTORE d a b', 'd a b'],
    [built(sets, 'sDiffCard', ['a', 'b'], { LIMIT: 2 }), 'SDIFFCARD 2 a b LIMIT 2', 'a b'],
    [built(sets, 'sUnionCard', 'a', { APPROX: true, LIMIT: 2 }), 'SUNIONCARD 1 a APPROX LIMIT 2', 'a'],
  ],
});
