import { readdir, readFile, readlink } from 'node:fs/promises';

/** `0100007F:18EB` of /proc/net/tcp: each 32 bit word of the address in the machine's (little-endian) order. */
function addressOf(hex: string): { address: string; port: number } {
  const [words = '', port = '0'] = hex.split(':');
  const bytes = Buffer.from(words, 'hex');
  for (let at = 0; at < bytes.length; at += 4) bytes.subarray(at, at + 4).reverse();
  const address =
    bytes.length === 4
      ? bytes.join('.')
      : bytes.every((byte) => byte === 0)
        ? '::'
        : `${bytes.toString('hex').replace(/(.{4})(?!$)/g, '$1:')}`.replace(/(^|:)0+(?=[0-9a-f])/g, '$1');
  return { address: address === '0:0:0:0:0:0:0:1' ? '::1' : address, port: Number.parseInt(port, 16) };
}

/** Sockets in state LISTEN (0A) of a table as /proc/net/tcp and tcp6 print it, by inode. */
export function parseListening(table: string): Map<string, { address: string; port: number }> {
  const rows = table.split('\n').slice(1);
  return new Map(
    rows.flatMap((row) => {
      const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
      return local && inode && state === '0A' ? [[inode, addressOf(local)] as const] : [];
    }),
  );
}

/** Where a process of this machine really listens, whatever its configuration says. */
export async function listeningOf(pid: number): Promise<{ address: string; port: number }[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8').catch(() => '')),
  );
  const sockets = new Map(tables.flatMap((table) => [...parseListening(table)]));
  const descriptors = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')));
  return links.flatMap((link) => {
    const socket = sockets.get(link.match(/^socket:\[(\d+)\]$/)?.[1] ?? '');
    return socket ? [socket] : [];
  });
}
