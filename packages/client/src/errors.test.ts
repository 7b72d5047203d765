import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { ERRORS, ErrorReply, InvalidArgumentError, MaybeExecutedError, NetworkError, RedkeepError } from './errors.js';
import * as redkeep from './index.js';
import { NETWORK_ERRORS } from './network/network-errors.js';

const docs = new URL('../../../docs/errors.md', import.meta.url);

test('docs/errors.md has every code of the client with its next step, and no other', async () => {
  const text = await readFile(docs, 'utf8');
  const documented = new Map(
    [...text.matchAll(/^\| (?:<a id="\w+"><\/a>)?`(REDKEEP_\w+)` \| (.*?) \| (.*?) \|$/gm)].map((m) => [
      m[1],
      [m[2], m[3]],
    ]),
  );
  for (const [code, texts] of Object.entries(ERRORS)) assert.deepEqual(documented.get(code), [...texts], code);
  assert.deepEqual([...documented.keys()].sort(), Object.keys(ERRORS).sort());
});

test("a server's text loses the command's arguments, and all of it stays in serverMessage", () => {
  const text = "ERR unknown command 'FOO', with args beginning with: 'hunter2' 'x'";
  const error = new ErrorReply(text);
  assert.equal(error.message, "ERR unknown command '<argument>', with args beginning with: <argument>");
  assert.equal(
    error.redact('FOO', ['hunter2', 'x']).message,
    "ERR unknown command 'FOO', with args beginning with: <argument>",
  );
  assert.equal(error.serverMessage, text);
  assert.ok(!inspect(error, { showHidden: true, depth: 10 }).includes('hunter2'));
  assert.ok(!JSON.stringify(error).includes('hunter2'));
  assert.equal(
    new ErrorReply('ERR bad value hunter2 here').redact('SET', [Buffer.from('hunter2')]).message,
    "ERR (the server's text is in serverMessage)",
  );
});

test('what a script says stays out of the message, and its first word too unless a server uses it', () => {
  const said = new ErrorReply('HUNTER TWO').redact('EVAL', ['return ARGV[1]', '0', 'HUNTER']);
  assert.equal(said.message, "ERR (the server's text is in serverMessage)");
  assert.equal(said.prefix, 'ERR');
  assert.equal(new ErrorReply('WRONGTYPE x').redact('FCALL', ['WRONGTYPE']).prefix, 'WRONGTYPE');
});

test('fixed texts stay readable, whatever the arguments are', () => {
  assert.equal(
    new ErrorReply('WRONGTYPE Operation against a key holding the wrong kind of value').redact('GET', ['key']).message,
    'WRONGTYPE Operation against a key holding the wrong kind of value',
  );
});

test('every error has a code, a hint and a text for end users that says nothing of the system', () => {
  for (const error of [
    new MaybeExecutedError('INCR'),
    new InvalidArgumentError('GET', 0, 'is null'),
    new ErrorReply('ERR x'),
  ]) {
    assert.match(error.code, /^REDKEEP_/);
    assert.ok(error.hint.length > 10);
    assert.deepEqual(Object.keys(error.toPublic()), ['code', 'message']);
    assert.doesNotMatch(error.toPublic().message, /redis|valkey|INCR|GET/i);
  }
});

const classes = Object.entries(redkeep).filter(
  (entry): entry is [string, typeof RedkeepError] =>
    typeof entry[1] === 'function' && entry[1].prototype instanceof Error,
);

test('every error class is a RedkeepError and names itself by a constant, which minifiers leave alone', () => {
  assert.ok(classes.length > 25);
  for (const [name, Class] of classes) {
    assert.ok(Class === RedkeepError || Class.prototype instanceof RedkeepError, name);
    // The name that a class has by itself is not enumerable; a static field is.
    const own = Object.getOwnPropertyDescriptor(Class, 'name');
    assert.deepEqual([own?.value, own?.enumerable], [name, true], name);
  }
});

test('another package gives its own codes their texts', () => {
  class VaultError extends RedkeepError {
    static override readonly name: string = 'VaultError';
  }
  const cause = new Error('inner');
  const described = new VaultError('VAULT_SEALED', 'The vault is sealed', {
    cause,
    hint: 'Unseal it.',
    publicMessage: 'Try again later.',
    docs: 'https://vault.example/errors#sealed',
  });
  assert.equal(String(described), 'VaultError: The vault is sealed');
  assert.equal(described.cause, cause);
  assert.deepEqual([described.hint, described.docs], ['Unseal it.', 'https://vault.example/errors#sealed']);
  assert.deepEqual(described.toPublic(), { code: 'VAULT_SEALED', message: 'Try again later.' });
  // Codes that are names of Object.prototype's are codes like others.
  for (const code of ['VAULT_OTHER', 'constructor', '__proto__']) {
    const plain = new VaultError(code, 'x');
    assert.equal(typeof plain.hint, 'string');
    assert.deepEqual(Object.keys(plain.toPublic()), ['code', 'message']);
  }
});

test('the page that an error links to has its anchor, in the repository that the manifest names', async () => {
  const text = await readFile(docs, 'utf8');
  const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'));
  const [repository] = manifest.homepage.split('/tree/');
  for (const error of [
    ...Object.keys(ERRORS).map((code) => new RedkeepError(code, 'x')),
    ...Object.keys(NETWORK_ERRORS).map((code) => networkError(code)),
    networkError('EOTHER'),
  ]) {
    const [page, anchor] = error.docs.split('#');
    assert.equal(page, `${repository}/blob/main/docs/errors.md`);
    assert.ok(text.includes(`<a id="${anchor}"></a>`), error.docs);
  }
});

const networkError = (code: string | undefined, message = '') =>
  new NetworkError(Object.assign(new Error(message), { code, errno: -1, syscall: 'connect' }), 'host:1');

test('docs/errors.md has every network error with its next step, and no other', async () => {
  const text = await readFile(docs, 'utf8');
  const documented = [...text.matchAll(/^\| <a id="\w+"><\/a>`(E[A-Z_]+)` \| (.*?) \|$/gm)].map((m) => [m[1], m[2]]);
  assert.deepEqual(documented, Object.entries(NETWORK_ERRORS));
});

test('a network error has the code of the system, a next step, and a public text without either', () => {
  for (const code of [...Object.keys(NETWORK_ERRORS), 'EOTHER', '__proto__']) {
    const error = networkError(code);
    assert.deepEqual([error.code, error.errno, error.syscall], [code, -1, 'connect']);
    assert.equal(error.message, `connect ${code} host:1`);
    assert.equal(
      error.hint,
      Object.hasOwn(NETWORK_ERRORS, code) ? NETWORK_ERRORS[code] : ERRORS.REDKEEP_CONNECT_FAILED[1],
    );
    assert.deepEqual(error.toPublic(), new RedkeepError('REDKEEP_CONNECT_FAILED', '').toPublic());
  }
  assert.equal(networkError(undefined, 'odd').code, 'REDKEEP_CONNECT_FAILED');
  assert.equal(networkError('ENOTFOUND', 'getaddrinfo ENOTFOUND host').message, 'getaddrinfo ENOTFOUND host');
});
