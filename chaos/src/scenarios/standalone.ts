/** One server, behind a proxy where the network is what breaks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type FaultProxy, type Server, startFaultProxy, startServer } from '@redkeep/testing';
import { createClient } from 'redkeep';
import { type Report, type RunOptions, type Scenario, type Strikes, underLoad } from '../run.js';

/** Short, so that a run sees many recoveries. */
export const TIMEOUTS = { commandOptions: { timeout: 500 }, socket: { socketTimeout: 1000 } };
/** What the server acknowledges is on disk. */
const DURABLE = { appendonly: true, config: ['appendfsync always'] };

async function proxied(
  options: RunOptions,
  body: (strikes: Strikes, proxy: FaultProxy, server: Server) => Promise<void>,
  tls = false,
): Promise<Report> {
  await using server = await startServer({ tls });
  await using proxy = await startFaultProxy(server.tlsPort || server.port);
  const client = createClient({
    url: tls ? `rediss://localhost:${proxy.port}` : `redis://127.0.0.1:${proxy.port}`,
    ...(tls ? { tls: { ca: server.pki!.ca } } : {}),
    ...TIMEOUTS,
  }).on('error', () => {});
  await client.connect();
  return await underLoad(
    options,
    client,
    (...args) => server.command(...args),
    (strikes) => body(strikes, proxy, server),
  );
}

async function direct(options: RunOptions, body: (strikes: Strikes, server: Server) => Promise<void>): Promise<Report> {
  await using server = await startServer(DURABLE);
  const client = createClient({ url: server.url, ...TIMEOUTS }).on('error', () => {});
  await client.connect();
  return await underLoad(
    options,
    client,
    (...args) => server.command(...args),
    (strikes) => body(strikes, server),
  );
}

const cut = (how: 'rst' | 'fin', tls = false): Scenario['run'] => {
  return (options) =>
    proxied(
      options,
      async ({ more, strike, random }, proxy) => {
        while (more()) {
          await sleep(random(30));
          await strike(() => proxy.cut(how));
        }
      },
      tls,
    );
};

/** Every connection ends after so many bytes, wherever in a reply or a command that is. */
const cutAnywhere = (direction: 'toClient' | 'toServer'): Scenario['run'] => {
  return (options) =>
    proxied(options, async ({ more, strike, random }, proxy) => {
      while (more()) {
        await strike(async () => {
          proxy.faults[direction].cutAfter = 500 + random(60_000);
          proxy.cut('fin');
          await sleep(200);
          proxy.faults[direction].cutAfter = undefined;
        });
      }
    });
};

/** An open connection over which nothing comes (or goes), until the client gives up or the network is back. */
const halfOpen = (direction: 'toClient' | 'toServer' | undefined, ms: number): Scenario['run'] => {
  return (options) =>
    proxied(options, async ({ more, strike, random }, proxy) => {
      while (more()) {
        await sleep(random(30));
        await strike(async () => {
          proxy.stall(direction);
          await sleep(ms);
          proxy.unstall();
        });
      }
    });
};

const paused = (ms: number): Scenario['run'] => {
  return (options) =>
    direct(options, async ({ more, strike, random }, server) => {
      while (more()) {
        await sleep(random(30));
        await strike(async () => {
          server.pause();
          await sleep(ms);
          server.resume();
        });
      }
    });
};

export const STANDALONE: readonly Scenario[] = [
  { name: 'connections reset (RST)', topology: 'standalone', run: cut('rst') },
  { name: 'connections closed (FIN)', topology: 'standalone', run: cut('fin') },
  { name: 'connections reset, TLS', topology: 'standalone', run: cut('rst', true) },
  { name: 'cut at any byte of the replies', topology: 'standalone', run: cutAnywhere('toClient') },
  { name: 'cut at any byte of the commands', topology: 'standalone', run: cutAnywhere('toServer') },
  {
    name: 'killed by the server (CLIENT KILL)',
    topology: 'standalone',
    run: (options) =>
      direct(options, async ({ more, strike, random }, server) => {
        while (more()) {
          await sleep(random(50));
          await strike(async () => {
            // The connection that asks is a client too, and ends with the others.
            for (const type of ['normal', 'pubsub'])
              await server.command('CLIENT', 'KILL', 'TYPE', type, 'SKIPME', 'yes').catch(() => {});
          });
        }
      }),
  },
  {
    name: 'replies delayed and split',
    topology: 'standalone',
    run: (options) =>
      proxied(options, async ({ more, strike, random }, proxy) => {
        while (more()) {
          await strike(async () => {
            proxy.faults.toClient.delay = random(4);
            proxy.faults.toClient.chunk = 1 + random(7);
            await sleep(200);
            proxy.faults.toClient.delay = proxy.faults.toClient.chunk = 0;
          });
        }
      }),
  },
  { name: 'half-open, short', topology: 'standalone', run: halfOpen(undefined, 200) },
  { name: 'half-open, both ways', topology: 'standalone', run: halfOpen(undefined, 2500) },
  { name: 'half-open, replies held back', topology: 'standalone', run: halfOpen('toClient', 2500) },
  {
    name: 'connections refused for a second',
    topology: 'standalone',
    run: (options) =>
      proxied(options, async ({ more, strike }, proxy) => {
        while (more()) {
          await strike(async () => {
            proxy.refuse();
            proxy.cut('rst');
            await sleep(1000);
            proxy.accept();
          });
        }
      }),
  },
  { name: 'server paused (SIGSTOP) 0.2 s', topology: 'standalone', run: paused(200) },
  { name: 'server paused (SIGSTOP) 2.5 s', topology: 'standalone', run: paused(2500) },
  {
    name: 'server killed (kill -9), AOF always',
    topology: 'standalone',
    run: (options) =>
      direct(options, async ({ more, strike, random }, server) => {
        while (more()) {
          await sleep(random(200));
          await strike(async () => {
            await server.kill('SIGKILL');
            await server.start();
          });
        }
      }),
  },
];
