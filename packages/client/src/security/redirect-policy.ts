/**
 * Where a cluster or Sentinel may send this client, and with it the password. An answer of a server is not a reason to
 * trust another host; what is:
 *
 *  - the allow list, or an address that the application itself mapped;
 *  - the hosts of the seeds;
 *  - under TLS, the handshake: the node must prove the address or name it was announced under to the CA that the
 *    application chose (own CA, pins, or a fixed servername). The system's CAs sign for everybody, so with them the
 *    name must also lie in the domain of a seed;
 *  - in plaintext, nothing else.
 */
import { BlockList, isIP } from 'node:net';
import { InvalidOptionError, RedkeepError } from '../errors.js';
import { bareHost, isLoopback } from '../network/host-class.js';
import type { TlsOptions } from './tls-policy.js';

export interface RedirectPolicyOptions {
  /** Hosts that redirects may lead to: names, `*.suffix`, addresses, or ranges like `10.0.0.0/8`. */
  allowHosts?: readonly string[];
}

/** A redirect to an untrusted host was refused; nothing was sent to it. */
export class RedirectRefusedError extends RedkeepError {
  static override readonly name: string = 'RedirectRefusedError';
  readonly host: string;
  constructor(host: string) {
    super(
      'REDKEEP_REDIRECT_REFUSED',
      `A server led to ${host === '' ? 'an empty host' : host}, which nothing vouches for: no credentials go there. If it is yours, add it to redirectPolicy.allowHosts`,
    );
    this.host = host;
  }
}

export class RedirectPolicy {
  readonly #hosts = new Set<string>();
  readonly #suffixes: string[] = [];
  readonly #ranges = new BlockList();
  readonly #domains: string[] = [];
  readonly #provesByTls: 'own-ca' | 'system-cas' | 'no';
  #loopback = false;

  constructor(options: RedirectPolicyOptions, seeds: readonly string[], tls: TlsOptions | undefined) {
    for (const entry of options.allowHosts ?? []) this.#allow(entry);
    this.#provesByTls = provesByTls(tls);
    for (const seed of seeds) {
      this.trust(seed);
      const parent = seed.split('.').slice(1).join('.');
      if (isIP(seed) === 0 && parent.includes('.')) this.#domains.push(`.${parent.toLowerCase()}`);
    }
  }

  #allow(entry: string): void {
    const [address, bits] = entry.split('/');
    if (entry.startsWith('*.')) this.#suffixes.push(entry.slice(1).toLowerCase());
    else if (bits === undefined) this.#hosts.add(normal(entry));
    else if (isIP(address!) === 0 || !/^\d{1,3}$/.test(bits))
      throw new InvalidOptionError('redirectPolicy.allowHosts', 'has an entry that is not a host, *.suffix or range');
    else this.#ranges.addSubnet(address!, Number(bits), isIP(address!) === 6 ? 'ipv6' : 'ipv4');
  }

  /** A seed's host, or the address that a seed's name led to. */
  trust(host: string): void {
    this.#hosts.add(normal(host));
    // A seed on this machine vouches for this machine by all its names; one elsewhere does not.
    if (isLoopback(host)) this.#loopback = true;
  }

  /** Why `host` may not be followed; `aliases` are the other names it was announced under. */
  refusalOf(host: string, aliases: readonly string[] = []): RedirectRefusedError | undefined {
    if (host === '') return new RedirectRefusedError(host);
    if (this.#allows(host)) return undefined;
    switch (this.#provesByTls) {
      case 'own-ca':
        return undefined;
      case 'system-cas': {
        const vouched = (name: string) =>
          this.#allows(name) || this.#domains.some((d) => name.toLowerCase().endsWith(d));
        return [host, ...aliases].every((name) => isIP(name) !== 0 || vouched(name)) && [host, ...aliases].some(vouched)
          ? undefined
          : new RedirectRefusedError(host);
      }
      default:
        return new RedirectRefusedError(host);
    }
  }

  #allows(host: string): boolean {
    const name = normal(host);
    if (this.#hosts.has(name) || (this.#loopback && isLoopback(name))) return true;
    const family = isIP(name);
    if (family !== 0) return this.#ranges.check(name, family === 6 ? 'ipv6' : 'ipv4');
    return this.#suffixes.some((suffix) => name.endsWith(suffix));
  }
}

function provesByTls(tls: TlsOptions | undefined): 'own-ca' | 'system-cas' | 'no' {
  if (tls === undefined || tls.dangerouslyAcceptAnyCertificate === true) return 'no';
  const own = [tls.ca, tls.caFile, tls.pinnedCa, tls.pinnedSpki, tls.servername].some((option) => option !== undefined);
  return own ? 'own-ca' : 'system-cas';
}

/** One spelling: lower case, IPv4 not as mapped IPv6. */
function normal(host: string): string {
  return bareHost(host)
    .toLowerCase()
    .replace(/^::ffff:(?=\d+\.)/, '');
}
