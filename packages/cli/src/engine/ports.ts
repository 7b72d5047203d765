import { createServer } from 'node:net';

/** True when nothing listens on the port at this address. An address the machine does not have counts as free. */
export function portIsFree(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'EADDRINUSE'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The first port from `first` on where `count` neighbors are free on loopback; undefined when there is none near. */
export async function findFreePorts(first: number, count: number): Promise<number | undefined> {
  const attempts = 200;
  for (let port = first; port < first + attempts && port + count <= 65_536; port += 1) {
    const free = await Promise.all(Array.from({ length: count }, (_, index) => portIsFree(port + index, '127.0.0.1')));
    if (free.every(Boolean)) return port;
  }
  return undefined;
}
