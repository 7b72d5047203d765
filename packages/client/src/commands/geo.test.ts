import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testGroup } from '../testing/protocols.js';
import * as geo from './geo.js';

const palermo = { longitude: 13.361389, latitude: 38.115556, member: 'Palermo' };
const catania = { longitude: '15.087269', latitude: '37.502669', member: 'Catania' };
const center = { longitude: 15, latitude: 37 };
const both = ['WITHCOORD', 'WITHDIST', 'WITHHASH'] as const;
const nearest = (reply: geo.GeoReplyWithMember[]) => {
  assert.equal(reply.length, 2);
  const [first] = reply as unknown as [
    { member: string; distance: number; hash: number; coordinates: { longitude: number; latitude: number } },
  ];
  assert.equal(first.member, 'Catania');
  assert.ok(Math.abs(first.distance - 56.44) < 0.1);
  assert.equal(first.hash, 3_479_447_370_796_909);
  assert.ok(
    Math.abs(first.coordinates.longitude - 15.087) < 0.01 && Math.abs(first.coordinates.latitude - 37.5) < 0.01,
  );
};

testGroup('geo', {
  module: geo,
  cases: [
    [(c) => c.geoAdd('g', [palermo, catania]), 2],
    [(c) => c.geoAdd('g', palermo, { condition: 'XX', CH: true }), 0],
    [(c) => c.geoDist('g', 'Palermo', 'Catania', 'km'), 166.2742],
    [(c) => c.geoDist('g', 'Palermo', 'none'), null],
    [(c) => c.geoHash('g', ['Palermo', 'none']), ['sqc8b49rny0', null]],
    [
      (c) => c.geoPos('g', ['Palermo', 'none']),
      ([at, none]: [{ longitude: unknown; latitude: unknown }, null], resp: number) => {
        assert.equal(none, null);
        assert.equal(typeof at.longitude, resp === 2 ? 'string' : 'number');
        assert.ok(Math.abs(Number(at.longitude) - 13.361) < 0.01 && Math.abs(Number(at.latitude) - 38.115) < 0.01);
      },
    ],
    [(c) => c.geoSearch('g', 'Palermo', { radius: 200, unit: 'km' }, { SORT: 'DESC' }), ['Catania', 'Palermo']],
    [
      (c) =>
        c.geoSearch(
          'g',
          center,
          { width: 400, height: 400, unit: 'km' },
          { SORT: 'ASC', COUNT: { value: 2, ANY: true } },
        ),
      ['Catania', 'Palermo'],
    ],
    [(c) => c.geoSearchWith('g', center, { radius: 200, unit: 'km' }, both, { SORT: 'ASC' }), nearest],
    [(c) => c.geoSearchStore('d', 'g', center, { radius: 200, unit: 'km' }, { STOREDIST: true }), 2],
    [(c) => c.geoRadius('g', center, 200, 'km', { SORT: 'ASC' }), ['Catania', 'Palermo']],
    [(c) => c.geoRadiusRo('g', center, 100, 'km'), ['Catania']],
    [(c) => c.geoRadiusWith('g', center, 200, 'km', both, { SORT: 'ASC' }), nearest],
    [
      (c) => c.geoRadiusRoWith('g', center, 200, 'km', ['WITHDIST'], { COUNT: 1 }),
      ([first]: { distance: number }[]) => assert.ok(Math.abs(first!.distance - 56.44) < 0.1),
    ],
    [(c) => c.geoRadiusStore('d', center, 200, 'km', 'd2', { STOREDIST: true }), 0],
    [(c) => c.geoRadiusStore('g', center, 200, 'km', 'd2'), 2],
    [(c) => c.geoRadiusByMember('g', 'Palermo', 1, 'mi'), ['Palermo']],
    [(c) => c.geoRadiusByMemberRo('g', 'Palermo', 1, 'ft'), ['Palermo']],
    [(c) => c.geoRadiusByMemberWith('g', 'Palermo', 1, 'm', ['WITHDIST']), [{ member: 'Palermo', distance: 0 }]],
    [
      (c) => c.geoRadiusByMemberRoWith('g', 'Palermo', 1, 'm', ['WITHHASH']),
      [{ member: 'Palermo', hash: 3_479_099_956_230_698 }],
    ],
    [(c) => c.geoRadiusByMemberStore('g', 'Palermo', 1, 'm', 'd3', { STOREDIST: true }), 1],
  ],
  wire: [
    [
      geo.geoSearchStore('d', 's', 'm', { radius: 1, unit: 'm' }),
      'GEOSEARCHSTORE d s FROMMEMBER m BYRADIUS 1 m',
      'd s',
    ],
    [geo.geoRadiusStore('k', center, 1, 'm', 'd'), 'GEORADIUS k 15 37 1 m STORE d', 'k d'],
    [geo.geoRadius('k', center, 1, 'm'), 'GEORADIUS k 15 37 1 m', 'k'],
    [
      geo.geoRadiusByMemberStore('k', 'm', 1, 'm', 'd', { STOREDIST: true }),
      'GEORADIUSBYMEMBER k m 1 m STOREDIST d',
      'k d',
    ],
  ],
});

test('neither a unit nor a coordinate can become an option', () => {
  const refused = { code: 'REDKEEP_INVALID_ARGUMENT' };
  assert.throws(() => geo.geoDist('k', 'a', 'b', 'parsec' as never), refused);
  assert.throws(() => geo.geoAdd('k', { longitude: 'XX', latitude: 1, member: 'm' }), refused);
  assert.throws(() => geo.geoSearchWith('k', 'm', { radius: 1, unit: 'm' }, ['STORE' as never]), refused);
});
