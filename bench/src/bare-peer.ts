/**
 * Node.js's own limit, as a peer: it only joins strings, writes once a turn and finds the ends of replies. It checks
 * nothing, has no deadlines, and is right for GET and SET of ASCII only.
 */
import { connect } from 'node:net';
import type { Peer, Target } from './peers.js';

const none = () => Promise.reject(new Error('not measured here'));

/** The limit: a socket, one string a turn, promises in the order of their replies. */
export async function bare({ port }: Target): Promise<Peer> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true).setEncoding('latin1');
  await new Promise((resolve) => socket.once('connect', resolve));
  let batch = '';
  let waiting: ((value: unknown) => void)[] = [];
  let head = 0;
  let rest = '';
  const flush = () => {
    socket.write(batch, 'latin1');
    batch = '';
  };
  const send = (request: string) => {
    if (batch === '') process.nextTick(flush);
    batch += request;
    return new Promise((resolve) => waiting.push(resolve));
  };
  socket.on('data', (chunk: string) => {
    const text = rest === '' ? chunk : rest + chunk;
    let at = 0;
    while (at < text.length) {
      const end = text.indexOf('\r\n', at);
      if (end === -1) break;
      if (text.charCodeAt(at) !== 36) {
        waiting[head++]!(text.slice(at + 1, end));
        at = end + 2;
        continue;
      }
      const length = Number(text.slice(at + 1, end));
      if (text.length < end + 4 + length) break;
      waiting[head++]!(text.slice(end + 2, end + 2 + length));
      at = end + 4 + length;
    }
    rest = text.slice(at);
    if (head === waiting.length) {
      waiting = [];
      head = 0;
    }
  });
  return {
    get: (key) => send(`*2\r\n$3\r\nGET\r\n$${key.length}\r\n${key}\r\n`),
    set: (key, value) => send(`*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`),
    getBuffer: none,
    mGet: none,
    hGetAll: none,
    lRange: none,
    pipeline: none,
    close: () => socket.destroy(),
  };
}

/** Named apart from the limit's own name, so that the worker finds it here. */
export const LIMITS: Readonly<Record<string, (target: Target) => Promise<Peer>>> = { bare };
