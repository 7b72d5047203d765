/**
 * What a host's text says about where it leads, without asking a resolver. The one place where loopback is decided:
 * whether plaintext is allowed, whether a redirect may be followed, whether a server is reachable from elsewhere.
 *
 * Only canonical addresses count. `127.1`, `0177.0.0.1` and `2130706433` reach 127.0.0.1 with some resolvers and any
 * host with others, as do `localhost.` and `127.evil.example`; they are names.
 */
import { BlockList, isIP } from 'node:net';
import { argumentText } from '../argument-text.js';

/**
 *  - `loopback`: 127.0.0.0/8, ::1 and `localhost` (RFC 6761, section 6.3)
 *  - `unspecified`: 0.0.0.0, :: and the spellings of "every interface"; as a destination it is nobody's address
 *  - `link-local`: 169.254.0.0/16, fe80::/10
 *  - `private`: RFC 1918, the shared addresses of RFC 6598, and fc00::/7 (RFC 4193)
 *  - `public`: every other address
 *  - `name`: anything else, which a resolver decides
 */
export type HostClass = 'loopback' | 'unspecified' | 'link-local' | 'private' | 'public' | 'name';

const RANGES: readonly (readonly [HostClass, readonly (readonly [string, number])[]])[] = [
  [
    'loopback',
    [
      ['127.0.0.0', 8],
      ['::1', 128],
    ],
  ],
  [
    'unspecified',
    [
      ['0.0.0.0', 8],
      ['::', 128],
    ],
  ],
  [
    'link-local',
    [
      ['169.254.0.0', 16],
      ['fe80::', 10],
    ],
  ],
  [
    'private',
    [
      ['10.0.0.0', 8],
      ['172.16.0.0', 12],
      ['192.168.0.0', 16],
      ['100.64.0.0', 10],
      ['fc00::', 7],
    ],
  ],
];

const LISTS = RANGES.map(([name, ranges]) => {
  const list = new BlockList();
  for (const [address, bits] of ranges) list.addSubnet(address, bits, family(address));
  return [name, list] as const;
});

/**
 * The class of `host`: an address, an IPv6 address in brackets as URLs have it, or a name. IPv4 addresses mapped into
 * IPv6 (`::ffff:127.0.0.1`) count as what they map to; the zone of an IPv6 address (`fe80::1%eth0`) is left out. IPv4
 * has no zones: resolvers take `127.0.0.1%x.evil.example` for a name.
 */
export function hostClass(host: string): HostClass {
  const bare = bareHost(argumentText('hostClass', 0, host));
  if (bare.toLowerCase() === 'localhost') return 'loopback';
  if (isIP(bare) === 0) return 'name';
  const address = bare.replace(/%.*$/s, '');
  return LISTS.find(([, list]) => list.check(address, family(address)))?.[0] ?? 'public';
}

/** `host` certainly leads to this machine and to no other. */
export function isLoopback(host: string): boolean {
  return hostClass(host) === 'loopback';
}

/** `host` without the brackets that URLs put around an IPv6 address. */
export function bareHost(host: string): string {
  const inside = /^\[(.*)\]$/s.exec(host)?.[1];
  return inside !== undefined && isIP(inside) === 6 ? inside : host;
}

function family(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
