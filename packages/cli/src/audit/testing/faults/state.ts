import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { rawCommand, type Server, waitFor } from '@redkeep/testing';
import { operationsOf } from '../../gather/records.js';
import { openSession } from '../../gather/session.js';
import { type Fault, passwords, requestFor } from '../hardened.js';

/** Logs in as the application and stays connected until the server ends. */
async function asApplication(server: Server, name: string) {
  const [endpoint] = requestFor(server).endpoints;
  const session = await openSession({ ...endpoint!, username: 'app', password: passwords.app });
  await session.ask('CLIENT', 'SETNAME', name);
  return session;
}

/** What a browser would send to the port, until the server hangs up. */
function sendHttp(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port: server.tlsPort, ca: server.pki!.ca, servername: 'localhost' });
    socket.once('secureConnect', () => socket.write('POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'));
    socket.once('close', () => resolve());
    socket.once('error', reject);
    socket.resume();
  });
}

const peer =
  (host: string): NonNullable<Fault['request']> =>
  (request) => ({
    ...request,
    expectations: { ...request.expectations, peers: [host] },
  });

/** What happened to a running server, and to its files. */
export const stateFaults: readonly Fault[] = [
  {
    name: 'a user was changed at run time only',
    after: (server) => server.command('ACL', 'SETUSER', 'app', '+lolwut', '-get'),
    expect: ['AUTH-013'],
  },
  {
    name: 'everybody reads the configuration file',
    after: (server) => chmod(server.configFile, 0o644),
    expect: ['HOST-003'],
  },
  {
    name: 'everybody reads the ACL file',
    after: (server) => chmod(join(server.dir, 'users.acl'), 0o644),
    expect: ['HOST-004'],
  },
  {
    name: 'everybody reads the data',
    after: (server) => chmod(server.dir, 0o755),
    expect: ['HOST-005'],
  },
  {
    name: 'everybody reads the private key',
    after: async (server) => {
      const [, path] = (await server.command('CONFIG', 'GET', 'tls-key-file')) as string[];
      await chmod(path!, 0o644);
    },
    expect: ['TLS-015'],
  },
  {
    name: 'a key of a known attack',
    after: (server) => server.command('SET', 'crackit', 'x'),
    expect: ['CFG-007'],
  },
  {
    name: 'a setting was changed at run time',
    after: (server) => server.command('CONFIG', 'SET', 'maxmemory', '200mb'),
    expect: ['CFG-017'],
  },
  {
    name: 'the log level was changed at run time',
    after: (server) => server.command('CONFIG', 'SET', 'loglevel', 'verbose'),
    expect: ['CFG-017'],
  },
  {
    name: 'others may write the configuration',
    after: (server) => chmod(server.configFile, 0o620),
    expect: ['CFG-018', 'HOST-003'],
  },
  {
    name: 'a function library nobody declared',
    after: (server) =>
      server.command('FUNCTION', 'LOAD', "#!lua name=stray\nredis.register_function('f', function() return 1 end)"),
    expect: ['CFG-020'],
  },
  {
    name: 'somebody guesses passwords',
    after: async (server) => {
      // One a connection: after a wrong password, Redis 8.0 leaves what was pipelined behind it unanswered.
      const { port, tls } = server.target;
      for (let turn = 0; turn < 25; turn++)
        await rawCommand({ port, ...(tls && { tls }) }, ['AUTH', 'app', `guess-${turn}`]).catch(() => undefined);
    },
    expect: ['LOG-005'],
  },
  { name: 'a key that miners leave', after: (server) => server.command('SET', 'backup1', 'x'), expect: ['CFG-007'] },
  {
    name: 'a key that another worm leaves',
    after: (server) => server.command('SET', 'trojan1', 'x'),
    expect: ['CFG-007'],
  },
  {
    name: 'a user was deleted at run time only',
    after: (server) => server.command('ACL', 'DELUSER', 'app'),
    expect: ['AUTH-013'],
  },
  {
    name: 'a user was added at run time only',
    after: (server) => server.command('ACL', 'SETUSER', 'later', 'on', `#${'a'.repeat(64)}`, '~later:*', '+get'),
    expect: ['AUTH-013'],
  },
  {
    name: 'two services share a user',
    after: async (server) => {
      await asApplication(server, 'checkout-1');
      await asApplication(server, 'newsletter-1');
    },
    expect: ['AUTH-011'],
  },
  {
    name: 'an application tries what it may not',
    after: async (server) => {
      const session = await asApplication(server, 'app-1');
      await session.ask('FLUSHALL').catch(() => undefined);
      await session.close();
    },
    expect: ['LOG-006'],
  },
  {
    name: 'a browser was sent to the port',
    config: { logfile: 'redis.log' },
    after: sendHttp,
    expect: ['NET-013'],
  },
  {
    name: 'the last snapshot failed',
    after: async (server) => {
      // A folder where the file has to go makes the server fail as a full disk does.
      await mkdir(join(server.dir, 'dump.rdb'));
      await server.command('BGSAVE');
      await waitFor(async () => (await server.info('persistence'))['rdb_last_bgsave_status'] === 'err');
    },
    expect: ['BKP-002'],
  },
  {
    name: 'the link to the primary is down',
    after: (server) => server.command('REPLICAOF', '127.0.0.1', '1'),
    expect: ['BKP-009'],
  },
  {
    name: 'a primary nobody knows',
    after: (server) => server.command('REPLICAOF', '127.0.0.2', '1'),
    request: peer('127.0.0.1'),
    expect: ['BKP-009', 'CFG-008'],
  },
  {
    name: 'replication logs in as the default user',
    without: ['masteruser'],
    after: (server) => server.command('REPLICAOF', '127.0.0.1', '1'),
    expect: ['BKP-009', 'CFG-010'],
  },
  {
    name: 'data without an expiry in the regulated profile',
    config: { 'tls-auth-clients': 'yes' },
    after: (server) => server.command('SET', 'app:person:1', 'x'),
    request: (request) => ({
      ...request,
      sampleKeys: 100,
      endpoints: request.endpoints.map((one) => ({ ...one, username: 'admin', password: passwords.admin })),
      expectations: { ...request.expectations, profile: 'regulated' },
    }),
    expect: ['BKP-008'],
  },
  {
    name: 'nothing throttles failed logins on a network address',
    config: { bind: '*' },
    request: (request) => ({
      ...request,
      operations: operationsOf(
        {
          monitoring: {
            seenAt: request.now.toISOString(),
            rules: true,
            aclLog: true,
            changes: true,
            throttles: false,
          },
        },
        'records',
      ),
    }),
    expect: ['AUTH-015', 'NET-002'],
  },
  {
    name: 'a connection is older than the last change of its password',
    after: (server) => asApplication(server, 'app-1'),
    request: (request) => ({
      ...request,
      // Ages of connections are whole seconds: the change is put one second later than it was.
      operations: operationsOf({ rotations: { app: new Date(request.now.getTime() + 1000).toISOString() } }, 'records'),
    }),
    expect: ['AUTH-017'],
  },
  {
    name: 'an application uses two of its many commands',
    request: (request) => ({
      ...request,
      operations: operationsOf({ commandsUsed: { app: ['get', 'set'] } }, 'records'),
    }),
    expect: ['CLI-008'],
  },
];
