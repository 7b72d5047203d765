import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { findEngine, type Server } from '@redkeep/testing';
import type { CheckId } from '../checks/check.js';
import { matchCves } from '../facts/cves.js';
import type { EngineFacts } from '../facts/engine-facts.js';
import { observed } from '../facts/fact.js';
import type { Facts, HostFacts, NodeFacts, ProcessFacts } from '../facts/facts.js';
import type { TlsFacts } from '../facts/tls-facts.js';
import { gather } from '../gather/gather.js';
import { judge } from '../verdict/judge.js';
import { requestFor, startHardened } from './hardened.js';

/** A host in order; the one that runs the tests is as it is. */
const host: HostFacts = {
  swap: [],
  transparentHugePages: 'madvise',
  overcommitMemory: '1',
  somaxconn: 4096,
  memoryBytes: 8 * 2 ** 30,
  timeSynchronized: observed(true, 'test'),
  firewall: observed({ defaultDrop: true, tool: 'nftables' }, 'test'),
  dataEncrypted: observed(true, 'test'),
  logShippers: observed(['vector'], 'test'),
  updates: observed([], 'test'),
  packageSigned: observed(true, 'test'),
};
const process: Partial<ProcessFacts> = {
  uid: 999,
  argv: ['redis-server', '/etc/redis/redis.conf'],
  secretVariables: observed([], 'test'),
  coreLimit: '0',
  openFiles: 65_536,
};
const engine: Partial<EngineFacts> = { name: 'redis', version: '8.10.9', build: 'vendor' };

interface Change {
  readonly host?: Partial<HostFacts>;
  readonly process?: Partial<ProcessFacts>;
  readonly engine?: Partial<EngineFacts>;
  readonly tls?: (tls: TlsFacts) => Partial<TlsFacts>;
  readonly config?: Readonly<Record<string, string>>;
}

const faults: readonly [string, Change, readonly CheckId[]][] = [
  ['the server runs as root', { process: { uid: 0 } }, ['HOST-001']],
  ['a password in the process list', { process: { argv: ['redis-server', '--requirepass', 'x'] } }, ['CFG-021']],
  [
    'a password in the environment',
    { process: { secretVariables: observed(['REDIS_PASSWORD'], 'test') } },
    ['HOST-010'],
  ],
  ['core dumps', { process: { coreLimit: 'unlimited' } }, ['HOST-007']],
  ['too few open files', { process: { openFiles: 256 } }, ['HOST-008']],
  ['swap in clear', { host: { swap: [{ device: '/dev/sda2', encrypted: false }] } }, ['HOST-007']],
  ['huge pages always', { host: { transparentHugePages: 'always' } }, ['HOST-008']],
  ['strict overcommit', { host: { overcommitMemory: '2' } }, ['HOST-008']],
  ['a short backlog', { host: { somaxconn: 128 } }, ['HOST-008']],
  ['a clock that runs free', { host: { timeSynchronized: observed(false, 'test') } }, ['HOST-009']],
  ['a disk in clear', { host: { dataEncrypted: observed(false, 'test') } }, ['HOST-006']],
  [
    'no packet filter before a network address',
    { host: { firewall: observed({ defaultDrop: false, tool: 'nftables' }, 'test') }, config: { bind: '10.0.0.1' } },
    ['NET-015'],
  ],
  [
    'a public address without a packet filter',
    { host: { firewall: observed({ defaultDrop: false, tool: 'nftables' }, 'test') }, config: { bind: '203.0.113.7' } },
    ['NET-001', 'NET-015'],
  ],
  ['an OpenSSL to update', { host: { updates: observed(['libssl3 3.0.1 -> 3.0.2'], 'test') } }, ['VER-004']],
  ['a repository without signatures', { host: { packageSigned: observed(false, 'test') } }, ['VER-005']],
  ['a version with known flaws', { engine: { version: '8.10.0' } }, ['VER-001', 'VER-003']],
  ['a line that gets no fixes', { engine: { version: '7.0.0' } }, ['VER-001', 'VER-002']],
  ['renegotiation', { tls: () => ({ renegotiation: true }) }, ['TLS-005']],
  [
    'a key of 1024 bits',
    { tls: ({ chain }) => ({ chain: chain.map((one) => ({ ...one, keyType: 'rsa', keyBits: 1024 })) }) },
    ['TLS-006'],
  ],
  [
    'a signature with SHA-1',
    { tls: ({ chain }) => ({ chain: chain.map((one) => ({ ...one, signature: 'ECDSA SHA-1' })) }) },
    ['TLS-007'],
  ],
];

describe('audit of a machine', () => {
  let server: Server;
  let facts: Facts;
  before(async () => {
    server = await startHardened(findEngine());
    ({ facts } = await gather(requestFor(server)));
  });
  after(() => server[Symbol.asyncDispose]());

  function nodeWith(node: NodeFacts, change: Change): NodeFacts {
    assert.ok(node.process.observed && node.engine.observed && node.tls.observed && node.config.observed);
    const { package: _, ...known } = node.engine.value;
    return {
      ...node,
      process: observed({ ...node.process.value, ...process, ...change.process }, 'test'),
      engine: observed({ ...known, ...engine, ...change.engine }, 'test'),
      tls: observed({ ...node.tls.value, ...change.tls?.(node.tls.value) }, 'test'),
      config: observed(
        { ...node.config.value, 'hide-user-data-from-log': 'yes', 'tls-auto-reload-interval': '60', ...change.config },
        'test',
      ),
    };
  }

  function findings(change: Change): CheckId[] {
    const changed: Facts = {
      ...facts,
      host: observed({ ...host, ...change.host }, 'test'),
      nodes: facts.nodes.map((node) => nodeWith(node, change)),
    };
    const result = judge(changed, { target: 'machine', version: 'test', durationMs: 0 });
    // The file still says what the server was started with.
    return result.findings
      .map(({ id }) => id)
      .filter((id) => change.config === undefined || id !== 'CFG-017')
      .sort();
  }

  test('finds nothing where everything is in order', () => assert.deepEqual(findings({}), []));

  for (const [name, change, expected] of faults)
    test(`${name}: ${expected.join(', ')}`, () => assert.deepEqual(findings(change), expected));

  test('tells affected, possible and not affected apart', () => {
    const matched = (change: Partial<EngineFacts>) =>
      matchCves(
        { name: 'redis', version: '7.0.15', mode: 'standalone', role: 'primary', build: 'vendor', ...change },
        facts.cves,
      );
    assert.ok(matched({}).every(({ outcome }) => outcome === 'affected') && matched({}).length > 0);
    assert.ok(matched({ build: 'distribution' }).every(({ outcome }) => outcome === 'possible'));
    const patched = matched({
      build: 'distribution',
      package: { name: 'redis-server', version: '5:7.0.15-1~deb12u99' },
    });
    assert.ok(patched.length < matched({}).length);
    assert.deepEqual(matched({ version: '99.0.0' }), []);
  });
});
