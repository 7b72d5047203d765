import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slotOf } from './slot.js';

test('slots are those of the specification', () => {
  assert.equal(slotOf('123456789'), 0x31c3 % 16_384);
  assert.equal(slotOf('foo'), 12_182);
  assert.equal(slotOf('bar'), 5061);
  assert.equal(slotOf(''), 0);
});

test('the first hash tag with something in it counts', () => {
  assert.equal(slotOf('{user1000}.following'), slotOf('user1000'));
  assert.equal(slotOf('foo{{bar}}zap'), slotOf('{bar'));
  assert.equal(slotOf('foo{bar}{zap}'), slotOf('bar'));
  assert.notEqual(slotOf('foo{}{bar}'), slotOf('bar'));
  assert.equal(slotOf('foo{bar'), slotOf(Buffer.from('foo{bar')));
});

test('text counts as its UTF-8 bytes, numbers as their text', () => {
  assert.equal(slotOf('schlüssel'), slotOf(Buffer.from('schlüssel')));
  assert.equal(slotOf(42), slotOf('42'));
});
