import { need } from '../../facts/fact.js';
import { pass, type SystemCheck, unknown } from '../check.js';

export const log002: SystemCheck = {
  id: 'LOG-002',
  title: 'The log stays on the host',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N',
  why: 'Intruders delete the log of the machine they own.',
  passes: 'a log shipper runs',
  maps: 'LOG',
  from: 'production',
  effort: 'hours',
  sources: ['STIG V-251196', 'PCI DSS 10.3.3'],
  judgeAll(facts) {
    const shippers = need(need(facts.host).logShippers);
    return shippers.length > 0
      ? pass(shippers.join(', '))
      : unknown('no known log shipper runs here; a journal forwarded by the platform cannot be seen: confirm by hand');
  },
};
