import { maybe, NotObserved, need, unobserved } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { advise, run } from '../fix.js';

export const tls016: SystemCheck = {
  id: 'TLS-016',
  title: "Servers share a key, or the CA's key lies on a server",
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'One compromised server then compromises all of them; with the CA key, everything that trusts the CA.',
  passes: 'one key a node; the CA key elsewhere',
  maps: 'PKI',
  judgeAll(facts) {
    const keys = facts.nodes.flatMap((node) =>
      maybe(node.tls)?.chain[0] ? [{ address: node.address, spki: need(node.tls).chain[0]!.spki }] : [],
    );
    const shared = keys.filter((one) => keys.some((other) => other !== one && other.spki === one.spki));
    const authority = facts.nodes.flatMap((node) => maybe(maybe(node.files)?.caKeys ?? unobserved('')) ?? []);
    if (keys.length === 0) throw new NotObserved('no server showed a certificate');
    return failEach(
      [
        ...shared.map((one) => ({
          about: one.address,
          evidence: `${one.address} has the key of another node`,
          fix: [run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder')],
        })),
        ...[...new Set(authority)].map((path) => ({
          about: path,
          evidence: `the CA's private key lies beside the server's: ${path}`,
          fix: [advise('Move it to a machine that serves nothing')],
        })),
      ],
      'every node has its own key',
    );
  },
};
