import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findEngine, parseRequest, startFaultProxy } from '@redkeep/testing';
import { requestFor, startHardened } from '../testing/hardened.js';
import { gather } from './gather.js';

/** Everything an audit may send. None writes, none walks the key space, none reads a value. */
const allowed = new Set(
  'PING|INFO|HELLO|COMMAND|AUTH|CLIENT SETINFO|CLIENT SETNAME|CLIENT LIST|ACL WHOAMI|ACL LIST|ACL LOG|ACL DRYRUN|CONFIG GET|MODULE LIST|FUNCTION LIST|EXISTS'.split(
    '|',
  ),
);
const containers = new Set(['CLIENT', 'ACL', 'CONFIG', 'MODULE', 'FUNCTION']);
const secretSetting = /^(requirepass|masterauth|primaryauth|tls-.*pass)$|\*/;

function commandsIn(bytes: Buffer): string[][] {
  const commands: string[][] = [];
  let rest = bytes;
  while (rest.length > 0) {
    if (rest[0] !== 0x2a) {
      const line = rest.subarray(0, rest.indexOf('\r\n'));
      commands.push(line.toString('latin1').split(' '));
      rest = rest.subarray(line.length + 2);
      continue;
    }
    const request = parseRequest(rest);
    assert.ok(request, 'half a command');
    commands.push(request.value.map(String));
    rest = rest.subarray(request.end);
  }
  return commands;
}

describe('an audit of a production server', () => {
  test('sends a bounded number of harmless commands, and asks for no secret', async () => {
    await using server = await startHardened(findEngine(), { noTls: true });
    await using proxy = await startFaultProxy(server.port);
    const request = requestFor(server);
    await gather({ ...request, endpoints: request.endpoints.map((one) => ({ ...one, port: proxy.port })) });
    const plain = proxy.links.map((link) => link.received.toServer).filter((bytes) => bytes[0] !== 0x16);
    const commands = plain.flatMap(commandsIn);
    for (const [name = '', sub = '', ...settings] of commands) {
      const upper = name.toUpperCase();
      const command = containers.has(upper) ? `${upper} ${sub.toUpperCase()}` : upper;
      assert.ok(allowed.has(command), `${command} was sent`);
      if (command === 'CONFIG GET') for (const setting of settings) assert.doesNotMatch(setting, secretSetting);
    }
    // Five users' worth of ACL DRYRUN is most of it.
    assert.ok(commands.length < 400, `${commands.length} commands`);
    assert.ok(proxy.links.length < 80, `${proxy.links.length} connections`);
  });

  test('gives up on a server that stops answering, in a bounded time, and says so', async () => {
    await using server = await startHardened(findEngine(), { noTls: true });
    await using proxy = await startFaultProxy(server.port);
    proxy.stall('toClient');
    const request = requestFor(server);
    const { facts, unreachable } = await gather({
      ...request,
      endpoints: request.endpoints.map((one) => ({ ...one, port: proxy.port, timeoutMs: 200 })),
    });
    assert.equal(unreachable.length, 0);
    assert.equal(facts.nodes[0]?.info.observed, false);
  });

  test('needs no more than the user that --print-acl prints', async () => {
    await using server = await startHardened(findEngine());
    await gather(requestFor(server));
    const denied = (await server.command('ACL', 'LOG')) as unknown[];
    assert.deepEqual(denied, []);
  });
});
