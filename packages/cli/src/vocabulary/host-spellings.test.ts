/** The toolkit and the client agree on where a host leads, however it is spelt. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HOST_SPELLINGS } from '@redkeep/testing';
import { createClient, isLoopback, RedkeepError } from 'redkeep';
import { isLoopbackBind, isWildcard } from '../audit/checks/read.js';
import { mayFollow } from '../audit/gather/discover.js';
import { parseAnswers } from '../deployment/answers.js';

const spellings = Object.entries(HOST_SPELLINGS).flatMap(([name, hosts]) =>
  hosts.map((host) => ({ host, loopback: name === 'loopback', everywhere: name === 'unspecified' })),
);

/** Whether `action` goes through; anything but an error for users is a defect. */
function accepts(action: () => unknown): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (!(error instanceof RedkeepError)) throw error;
    return false;
  }
}

describe('a host is loopback, or it is not', () => {
  test('there are enough spellings, of both kinds', () => {
    assert.ok(spellings.length >= 40);
    assert.ok(spellings.some(({ loopback }) => loopback) && spellings.some(({ loopback }) => !loopback));
  });

  for (const { host, loopback, everywhere } of spellings) {
    test(`${JSON.stringify(host)} is ${loopback ? '' : 'not '}loopback for the client, the audit and init`, () => {
      assert.equal(isLoopback(host), loopback, 'the predicate');
      if (host !== '') {
        const plaintext = () => createClient({ socket: { host, tls: false } });
        assert.equal(accepts(plaintext), loopback, 'the client sends plaintext there unasked');
      }
      // `bind -127.0.0.1` is loopback too: the dash says that the address may be missing.
      const listens = isLoopback(host.replace(/^-/, ''));
      assert.equal(isLoopbackBind(host), listens, 'the audit takes a listener for local');
      for (const bind of [host, `-${host}`])
        assert.equal(isWildcard(bind), everywhere || host === '*', `the audit takes bind ${bind} for every interface`);
      const seed = { host: '127.0.0.1', port: 6379, tls: false, ca: undefined };
      assert.equal(mayFollow(seed as never, { host, port: 6379 }), loopback, 'the audit takes its password there');
      const development = () => parseAnswers({ profile: 'development', target: 'local', hosts: [host] });
      if (!loopback) assert.equal(accepts(development), false, 'init opens a development server to the network');
    });
  }

  test('every interface has words of its own in bind', () => {
    for (const bind of ['*', '::*', '-*', '-::*']) assert.ok(isWildcard(bind), bind);
    for (const bind of ['**', '*.*', '-', '--::*']) assert.ok(!isWildcard(bind), bind);
  });

  test('init takes addresses of loopback for development', () => {
    for (const host of ['localhost', '127.0.0.1', '::1'])
      assert.ok(
        accepts(() => parseAnswers({ profile: 'development', target: 'local', hosts: [host] })),
        host,
      );
  });
});
