import { DoesNotApply, maybe, NotObserved, need } from '../facts/fact.js';
import type { NodeFacts } from '../facts/facts.js';
import type { TlsFacts, TlsVersion } from '../facts/tls-facts.js';
import { fail, type NodeRule, pass } from './check.js';
import { advise } from './fix.js';
import { daysBetween } from './read.js';

/** The versions a server offers. Where it offers none, TLS-001 says so and the rest does not apply. */
export function offeredTls(node: NodeFacts): TlsVersion[] {
  if (node.fromFiles) return configuredTls(need(node.config));
  const { versions } = need(node.tls);
  const offered = (Object.keys(versions) as TlsVersion[]).filter((version) => versions[version]);
  if (offered.length === 0) throw new DoesNotApply('the server does not offer TLS: see TLS-001');
  return offered;
}

/** What a configuration offers: OpenSSL's own range where it does not say. */
function configuredTls(config: Readonly<Record<string, string>>): TlsVersion[] {
  if (config['tls-port'] === undefined) throw new NotObserved('the files do not say whether it offers TLS');
  if (config['tls-port'] === '0') throw new DoesNotApply('the server does not offer TLS: see NET-005');
  const written = (config['tls-protocols'] ?? '').replaceAll('"', '').split(/\s+/).filter(Boolean);
  const known = written.filter((one): one is TlsVersion => /^TLSv1(\.[123])?$/.test(one));
  return known.length > 0 ? known : ['TLSv1.2', 'TLSv1.3'];
}

/** The handshakes of a server that offers TLS and showed its certificate. */
export function servedTls(node: NodeFacts): TlsFacts {
  offeredTls(node);
  const tls = need(node.tls);
  if (tls.chain.length === 0) throw new NotObserved('no handshake got as far as the certificate');
  return tls;
}

/** A setting for a rollback, where it is known. */
export function settingText(node: NodeFacts, name: string): string | undefined {
  return maybe(node.config)?.[name];
}

/** A rule about the lifetime of the certificate that the server shows. */
export const livesAtMost =
  (most: number, why = ''): NodeRule =>
  (node) => {
    const [leaf] = servedTls(node).chain;
    const days = Math.round(daysBetween(leaf!.notBefore, leaf!.notAfter));
    return days <= most
      ? pass(`${days} days`)
      : fail(
          `${days} days${why}`,
          advise(
            'Issue certificates of at most 90 days: a stricter profile of redkeep init does, then redkeep certs renew --all',
          ),
        );
  };
