import type { NodeCheck } from '../check.js';
import { noExcess } from '../excess.js';

export const acl005: NodeCheck = {
  id: 'ACL-005',
  title: 'A non-admin user can run RESTORE or MIGRATE',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'RESTORE parses binary values made by the caller: three memory-corruption CVEs in 2026 alone. MIGRATE sends data to any host.',
  passes: 'both are denied',
  maps: 'AUTHZ',
  sources: ['CVE-2026-25243', 'CVE-2026-66373', 'CVE-2026-63639'],
  judge: noExcess('restore', 'only administrators can run RESTORE or MIGRATE', [
    '-restore',
    '-restore-asking',
    '-migrate',
  ]),
};
