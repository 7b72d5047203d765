import { maybe } from '../../facts/fact.js';
import { fail, type NodeCheck, pass } from '../check.js';
import { run } from '../fix.js';
import { servedTls, settingText } from '../tls.js';

export const tls014: NodeCheck = {
  id: 'TLS-014',
  title: 'The certificate does not fit its use',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'Replicas and cluster nodes are clients too: with serverAuth alone, replication fails under mutual TLS.',
  passes: 'serverAuth; clientAuth too, or a client certificate of its own, where nodes talk to each other',
  maps: 'PKI',
  judge(node) {
    const [leaf] = servedTls(node).chain;
    const { usages } = leaf!;
    if (usages.length > 0 && !usages.includes('serverAuth') && !usages.includes('any'))
      return fail(
        `extended key usage: ${usages.join(', ')}`,
        run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder'),
      );
    const peers = maybe(node.replication);
    const talks = peers !== undefined && (peers.replicas.length > 0 || peers.primaryHost !== undefined);
    const asClient =
      usages.length === 0 ||
      usages.includes('clientAuth') ||
      usages.includes('any') ||
      (settingText(node, 'tls-client-cert-file') ?? '') !== '';
    if (talks && settingText(node, 'tls-auth-clients') === 'yes' && !asClient)
      return fail(
        'the node replicates, but its certificate is for servers only',
        run('redkeep certs renew', '# none: put the old files back from your backup of the pki folder'),
      );
    return pass(usages.join(', ') || 'no extended key usage: any');
  },
};
