import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HOST_SPELLINGS } from '@redkeep/testing';
import { InvalidOptionError } from '../errors.js';
import { resolveOptions } from '../options/options.js';
import { RedirectPolicy } from '../security/redirect-policy.js';
import { hostClass } from './host-class.js';

const all = Object.entries(HOST_SPELLINGS).flatMap(([expected, hosts]) => hosts.map((host) => ({ expected, host })));

for (const { expected, host } of all)
  test(`${JSON.stringify(host)} is ${expected}`, () => {
    assert.equal(hostClass(host), expected);
  });

test('plaintext without allowPlaintext goes to loopback and nowhere else', () => {
  for (const { expected, host } of all) {
    if (host === '') continue; // not a host at all: refused as an option
    const resolve = () => resolveOptions({ socket: { host, tls: false } }, {});
    if (expected === 'loopback') resolve();
    else assert.throws(resolve, InvalidOptionError, host);
  }
});

test('a redirect to loopback is followed in plaintext exactly when it is loopback', () => {
  const policy = new RedirectPolicy({}, ['127.0.0.1'], undefined);
  for (const { expected, host } of all)
    assert.equal(policy.refusalOf(host) === undefined, expected === 'loopback', JSON.stringify(host));
});
