import { isIP } from 'node:net';
import { GuardError } from '../errors.js';
import { anObject, anyText, argument } from '../options.js';

/** The parts of a request that say where it came from: node:http's, express's and fastify's have them. */
export interface AddressedRequest {
  /** The client's address after the framework has judged proxies; set by express and fastify. */
  readonly ip?: string | undefined;
  readonly socket?: { readonly remoteAddress?: string | undefined } | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | undefined;
}

/**
 * The client's address as identity for limits: IPv4 whole, IPv6 by its /64, because one household has 2^64 of them.
 * A port, a zone, brackets and zeros in front do not count. IPv4 inside IPv6 (`::ffff:192.0.2.1` in every spelling, NAT64's `64:ff9b::/96`) is the IPv4 address. Without
 * `address`: what the framework's trusted-proxy setting gives (`request.ip`), else the socket's. Never pass a bare
 * X-Forwarded-For, which the client writes. Errors: REDKEEP_GUARD_ARGUMENT for what is not an address.
 */
export function clientAddress(request: AddressedRequest, address = ownAddress(request)): string {
  argument(address, 'address', anyText);
  const plain = withoutPort(address.trim());
  const version = isIP(plain);
  // Junk would be a fresh identity each time.
  if (version === 0) throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'address is neither IPv4 nor IPv6');
  if (version !== 6) return plain;
  const groups = groupsOf(plain);
  const embedded =
    groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
      ? true
      : groups[0] === 0x64 && groups[1] === 0xff9b && groups.slice(2, 6).every((group) => group === 0);
  if (embedded)
    return groups
      .slice(6)
      .flatMap((group) => [group >> 8, group & 0xff])
      .join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** `192.0.2.7:4711`, `[2001:db8::1]:443`, `fe80::1%eth0`, `192.000.002.007`: the address alone, in decimals. */
function withoutPort(address: string): string {
  const bracketed = /^\[(.*)\](?::\d{1,5})?$/.exec(address)?.[1];
  const host = (bracketed ?? address.replace(/^([\d.]+):\d{1,5}$/, '$1')).replace(/%.*$/, '');
  return /^[\d.]+$/.test(host) ? host.replace(/\b0+(?=\d)/g, '') : host;
}

/** Whether a proxy has passed the request on and the framework is not set to trust it: all clients look alike then. */
export function isBehindUntrustedProxy(request: AddressedRequest): boolean {
  const { headers = {} } = argument(request, 'request', anObject);
  if (headers['x-forwarded-for'] === undefined && headers['forwarded'] === undefined) return false;
  return ownAddress(request) === (request.socket?.remoteAddress ?? '');
}

function ownAddress(request: AddressedRequest): string {
  const { ip, socket } = argument(request, 'request', anObject);
  return ip ?? socket?.remoteAddress ?? '';
}

/** The eight groups of an IPv6 address that `isIP` accepts. */
function groupsOf(address: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const text =
    dotted === null ? address : `${dotted[1]}${pair(dotted[2]!, dotted[3]!)}:${pair(dotted[4]!, dotted[5]!)}`;
  const [left = '', right] = text.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0');
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}

function pair(high: string, low: string): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}
