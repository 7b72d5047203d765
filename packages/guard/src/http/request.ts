import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';

/** Parts of a request that a fingerprint can be made of. The address changes on mobile networks: not a default. */
export type FingerprintPart = 'user-agent' | 'accept-language' | 'sec-ch-ua-platform' | 'address';

const DEFAULT_PARTS: readonly FingerprintPart[] = ['user-agent', 'accept-language', 'sec-ch-ua-platform'];

/**
 * What a client looks like, as text for `fingerprint`. It hinders a stolen cookie in another browser and proves
 * nothing: every part can be imitated.
 */
export function fingerprintOf(request: IncomingMessage, parts: readonly FingerprintPart[] = DEFAULT_PARTS): string {
  const values = parts.map((part) => (part === 'address' ? addressKey(request) : String(request.headers[part] ?? '')));
  return JSON.stringify(values);
}

/**
 * The client's address as identity for limits: IPv4 whole, IPv6 by its /64, because one household has 2^64 of them.
 * `address` defaults to the socket's: behind a proxy pass what your framework's trusted-proxy setting gives, never
 * a bare X-Forwarded-For, which the client writes.
 */
export function addressKey(request: IncomingMessage, address = request.socket.remoteAddress ?? ''): string {
  const plain = address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');
  if (isIP(plain) !== 6) return plain;
  const [left = '', right] = plain.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const groups = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
