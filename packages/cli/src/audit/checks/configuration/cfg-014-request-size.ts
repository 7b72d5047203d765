import { failEach, type NodeCheck } from '../check.js';
import { config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const cfg014: NodeCheck = {
  id: 'CFG-014',
  title: 'Request size limits are above the default',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'A raised limit lets one client take gigabytes.',
  passes: 'proto-max-bulk-len at most 512 MB, client-query-buffer-limit at most 1 GB',
  maps: 'AVAIL',
  dataOnly: true,
  sources: ['CVE-2025-46686'],
  judge(node) {
    const limits = { 'proto-max-bulk-len': 536_870_912, 'client-query-buffer-limit': 1_073_741_824 };
    const raised = Object.entries(limits).filter(([name, most]) => Number(settingIfAny(node, name) ?? 0) > most);
    return failEach(
      raised.map(([name, most]) => ({
        about: name,
        evidence: `${name} ${setting(node, name)}`,
        fix: [config(name, String(most), setting(node, name))],
      })),
      'not above the defaults',
    );
  },
};
