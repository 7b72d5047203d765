import { need } from '../../facts/fact.js';
import { failEach, type Occurrence, type SystemCheck, unknown } from '../check.js';
import { advise, chmod } from '../fix.js';
import { octal } from '../read.js';
import { unseen } from './host-013-readable-secrets.js';

export const host014: SystemCheck = {
  id: 'HOST-014',
  title: 'Other users of the machine can change the configuration, keys or certificates',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H',
  why: 'A changed configuration takes effect at the next start at the latest, and can hand the server to an attacker.',
  passes: 'files and every folder above them are writable by root and their owner only, and belong to nobody else',
  maps: 'INT',
  sources: ['CWE-732', 'CWE-282'],
  judgeAll(facts) {
    const { guarded, closed } = need(facts.exposure);
    const found = new Map<string, Occurrence>();
    for (const { path, holds, writable, foreign } of guarded) {
      if (writable !== undefined && !found.has(writable.path))
        found.set(writable.path, {
          about: writable.path,
          evidence: `${writable.path} is ${octal(writable.mode)}: any user can replace ${path} (${holds})`,
          fix: [chmod(writable.path, writable.mode & ~0o022, writable.mode)],
          at: { file: path, line: 1 },
        });
      if (foreign !== undefined && !found.has(foreign.path))
        found.set(foreign.path, {
          about: foreign.path,
          evidence: `${foreign.path} belongs to the user ${foreign.uid}, who can replace ${path} (${holds})`,
          fix: [advise(`Give it to the owner of the rest (chown), or say that this account runs the deployment`)],
          at: { file: path, line: 1 },
        });
    }
    if (found.size === 0 && closed.length > 0) return unknown(unseen(closed));
    return failEach([...found.values()], `${guarded.length} files, none that others can replace`);
  },
};
