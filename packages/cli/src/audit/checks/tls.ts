import { DoesNotApply, maybe, NotObserved, need } from '../facts/fact.js';
import type { NodeFacts } from '../facts/facts.js';
import type { TlsFacts, TlsVersion } from '../facts/tls-facts.js';

/** The versions a server offers. Where it offers none, TLS-001 says so and the rest does not apply. */
export function offeredTls(node: NodeFacts): TlsVersion[] {
  const { versions } = need(node.tls);
  const offered = (Object.keys(versions) as TlsVersion[]).filter((version) => versions[version]);
  if (offered.length === 0) throw new DoesNotApply('the server does not offer TLS: see TLS-001');
  return offered;
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
