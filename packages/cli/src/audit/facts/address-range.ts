import { isIP } from 'node:net';
import { hostClass } from 'redkeep';
import { isReference } from './reference.js';

/** So few addresses that a range names hosts, not a network: `203.0.113.7/32`. */
const leastBitsOfHosts = { 4: 28, 6: 60 } as const;

/** The last IPv4 address of a range. */
function lastAddress(address: string, bits: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = [...address.matchAll(/\d+/g)].map(([part]) => Number(part));
  const first = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const last = (first | (bits === 0 ? 0xffffffff : (1 << (32 - bits)) - 1)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (last >>> shift) & 255).join('.');
}

/**
 * Whether every address of a CIDR range is of a private network, or the range is so small that it names hosts. A value
 * that comes from elsewhere is not judged.
 */
export function isPrivateRange(cidr: string): boolean {
  if (isReference(cidr)) return true;
  const [address = '', given] = cidr.trim().split('/');
  const family = isIP(address);
  if (family !== 4 && family !== 6) return false;
  const bits = Number(given ?? (family === 4 ? 32 : 128));
  if (bits >= leastBitsOfHosts[family]) return true;
  const isPrivate = (one: string): boolean => ['loopback', 'link-local', 'private'].includes(hostClass(one));
  if (family === 6) return bits >= 7 && isPrivate(address);
  return bits > 0 && isPrivate(address) && isPrivate(lastAddress(address, bits));
}
