import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { advise } from '../fix.js';

export const acl016: NodeCheck = {
  id: 'ACL-016',
  title: 'rename-command is used',
  cvss: null,
  why: 'Renaming hides nothing from a user who can run CONFIG or read the file, and breaks Sentinel and tools. ACL rules do this properly; reported for completeness.',
  passes: 'ACL rules instead',
  maps: 'AUTHZ',
  engines: redisAndValkey,
  sources: ['Lynis DBS-1886 (which wants the opposite)'],
  judge(node) {
    const renamed = need(need(node.files).config).directives.filter((one) => one.name === 'rename-command');
    return failEach(
      renamed.map((one) => ({
        about: one.args[0] ?? '',
        evidence: `rename-command ${one.args[0] ?? ''}`,
        fix: [advise('Deny the command by ACL, then remove the line')],
        at: { file: one.file, line: one.line },
      })),
      'not used',
    );
  },
};
