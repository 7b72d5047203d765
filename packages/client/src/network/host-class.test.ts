import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidOptionError } from '../errors.js';
import { resolveOptions } from '../options/options.js';
import { RedirectPolicy } from '../security/redirect-policy.js';
import { type HostClass, hostClass } from './host-class.js';

/** Spellings as configurations, announcements and attackers write them. */
const SPELLINGS: Readonly<Record<HostClass, readonly string[]>> = {
  loopback: [
    'localhost',
    'LOCALHOST',
    '127.0.0.1',
    '127.255.255.254',
    '127.1.2.3',
    '::1',
    '[::1]',
    '0:0:0:0:0:0:0:1',
    '0000::0001',
    '::ffff:127.0.0.1',
    '[::ffff:127.0.0.1]',
    '::FFFF:7f00:1',
    '::1%lo',
  ],
  unspecified: ['0.0.0.0', '::', '[::]', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0', '0.1.2.3'],
  'link-local': ['169.254.169.254', 'fe80::1', 'fe80::1%eth0', '::ffff:169.254.1.1'],
  private: ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1', '100.64.0.1', 'fd00::1', '::ffff:10.0.0.1'],
  public: ['8.8.8.8', '172.32.0.1', '100.128.0.1', '128.0.0.1', '126.255.255.255', '2001:db8::1', '::2', '::7f00:1'],
  name: [
    '',
    '.',
    'localhost.',
    'localhost.evil.example',
    'evil.localhost',
    'localhost%lo',
    '[localhost]',
    '127.evil.example',
    '127.0.0.1.evil.example',
    '127.0.0.1.',
    '127.999.0.1',
    '127.1',
    '127',
    '0177.0.0.1',
    '0x7f.0.0.1',
    '2130706433',
    '0',
    ' 127.0.0.1',
    '127.0.0.1 ',
    '127.0.0.1\n',
    '127.0.0.1:6379',
    '127.0.0.1/8',
    '-127.0.0.1',
    '[127.0.0.1]',
    '[::1',
    '[[::1]]',
    '*',
    '127.0.0.1\0.evil.example',
  ],
};
const all = Object.entries(SPELLINGS).flatMap(([expected, hosts]) => hosts.map((host) => ({ expected, host })));

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
