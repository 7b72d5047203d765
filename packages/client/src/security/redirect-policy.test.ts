import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RedirectPolicy, RedirectRefusedError } from './redirect-policy.js';

const follows = (policy: RedirectPolicy, host: string, aliases?: string[]) =>
  policy.refusalOf(host, aliases) === undefined;

test('plaintext follows only to the hosts of the seeds', () => {
  const policy = new RedirectPolicy({}, ['10.0.0.1'], undefined);
  assert.ok(follows(policy, '10.0.0.1'));
  assert.ok(follows(policy, '::ffff:10.0.0.1'));
  assert.ok(!follows(policy, '10.0.0.2'));
  assert.ok(!follows(policy, 'evil.example'));
  const error = policy.refusalOf('evil.example');
  assert.ok(error instanceof RedirectRefusedError);
  assert.equal(error.code, 'REDKEEP_REDIRECT_REFUSED');
});

test('this machine is followed to only from a seed on this machine', () => {
  assert.ok(follows(new RedirectPolicy({}, ['localhost'], undefined), '127.0.0.1'));
  assert.ok(!follows(new RedirectPolicy({}, ['10.0.0.1'], undefined), '127.0.0.1'));
});

test('an empty host is never followed', () => {
  assert.ok(!follows(new RedirectPolicy({}, ['127.0.0.1'], undefined), ''));
  assert.ok(!follows(new RedirectPolicy({}, ['127.0.0.1'], { caFile: 'ca.crt' }), ''));
});

test('the allow list takes names, suffixes, addresses and ranges', () => {
  const policy = new RedirectPolicy(
    { allowHosts: ['10.1.0.0/16', '*.nodes.internal', 'Spare', '192.0.2.9'] },
    [],
    undefined,
  );
  for (const host of ['10.1.2.3', 'a.nodes.internal', 'spare', '192.0.2.9']) assert.ok(follows(policy, host), host);
  for (const host of ['10.2.0.1', 'nodes.internal', 'a.nodes.internal.evil', '192.0.2.8'])
    assert.ok(!follows(policy, host), host);
  assert.throws(() => new RedirectPolicy({ allowHosts: ['10.0.0.0/x'] }, [], undefined), /allowHosts/);
});

test('an own CA vouches for every host, because each must prove its name to it', () => {
  assert.ok(follows(new RedirectPolicy({}, ['a.internal'], { caFile: 'ca.crt' }), '10.9.9.9'));
});

test('the CAs of the system vouch only within the domain of a seed', () => {
  const policy = new RedirectPolicy({}, ['clustercfg.abc.cache.example.com'], {});
  assert.ok(follows(policy, '0001-001.abc.cache.example.com'));
  assert.ok(follows(policy, '10.0.0.7', ['0001-001.abc.cache.example.com']));
  assert.ok(!follows(policy, '0001-001.other.cache.example.com'));
  assert.ok(!follows(policy, 'evil.example'));
  assert.ok(!follows(policy, '10.0.0.7'));
  assert.ok(!follows(policy, 'evil.example', ['0001-001.abc.cache.example.com']));
});

test('a certificate that is not verified vouches for nobody', () => {
  assert.ok(
    !follows(
      new RedirectPolicy({}, ['a.internal'], { caFile: 'x', dangerouslyAcceptAnyCertificate: true }),
      'b.internal',
    ),
  );
});
