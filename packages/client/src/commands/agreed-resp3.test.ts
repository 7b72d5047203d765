/**
 * Some proxies agree to RESP3 and go on in RESP2. What modules answer there is read as what it is; the commands of the
 * server itself are checked through such a proxy by their own tests (testing/protocols.ts).
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RESP_TYPES } from '../protocol/types.js';
import * as bf from './bloom/bf.js';
import * as topK from './bloom/top-k.js';
import type { Command } from './command.js';
import * as json from './json/json.js';
import * as ft from './search/ft.js';
import * as mRange from './time-series/m-range.js';
import * as ts from './time-series/ts.js';
import * as vectorSets from './vector-sets.js';

const SERIES = [['s', [['l', 'v']], [[1, '2.5']]]];
const SEARCH = [2, 'doc:1', ['a', '1'], 'doc:2', ['a', '2']];
const ANSWERS: readonly (readonly [command: Command, resp2: unknown])[] = [
  [ft.search('i', '*'), SEARCH],
  [ft.searchNoContent('i', '*'), [2, 'doc:1', 'doc:2']],
  [ft.aggregate('i', '*'), [1, ['a', '1']]],
  [ft.aggregateWithCursor('i', '*'), [[1, ['a', '1']], 7]],
  [ft.profileSearch('i', '*'), [SEARCH, ['Total profile time', '0.1']]],
  [ft.spellCheck('i', 'q'), [['TERM', 'q', [['0.5', 'quay']]]]],
  [ts.get('s'), [1, '2.5']],
  [ts.range('s', '-', '+'), [[1, '2.5']]],
  [mRange.mRange('-', '+', 'l=v'), SERIES],
  [mRange.mRangeWithLabels('-', '+', 'l=v'), SERIES],
  [ts.mGet('l=v'), [['s', [], [1, '2.5']]]],
  [bf.add('f', 'x'), 1],
  [bf.mExists('f', ['x', 'y']), [1, 0]],
  [bf.info('f'), ['Capacity', 100]],
  [topK.info('t'), ['k', 3, 'decay', '0.9']],
  [json.type('k', { path: '$' }), ['object']],
  [json.type('k'), 'object'],
  [json.numIncrBy('k', '$.n', 1), '[3,null]'],
  [vectorSets.vInfo('v'), ['size', 2]],
  [vectorSets.vEmb('v', 'e'), ['0.5', '1']],
  [vectorSets.vLinksWithScores('v', 'e'), [['a', '0.5']]],
];

test('replies of RESP 2 where RESP 3 was agreed have the same value', () => {
  for (const mapping of [undefined, { [RESP_TYPES.MAP]: Map }, { [RESP_TYPES.MAP]: Array }])
    for (const [{ spec, args, preserve }, raw] of ANSWERS) {
      const [two, three] = ([2, 3] as const).map((resp) => {
        const read = spec.read[resp];
        return read === undefined ? raw : read(structuredClone(raw), preserve, mapping);
      });
      assert.deepEqual(three, two, `${spec.name} ${args.join(' ')}`);
    }
});
