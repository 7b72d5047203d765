import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck, unknown } from '../check.js';
import { chmod } from '../fix.js';
import { octal } from '../read.js';

export const host013: SystemCheck = {
  id: 'HOST-013',
  title: 'Every user of the machine can read keys or passwords',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'Any program on the machine can then log in with them, or impersonate a server or the CA.',
  passes: 'keys, passwords and files with passwords are 0600 or 0640, or in a folder that others cannot enter',
  maps: 'FILE',
  sources: ['CWE-732', 'CWE-552'],
  judgeAll(facts) {
    const { guarded, closed, files } = need(facts.exposure);
    const open = guarded.filter((one) => one.isSecret && one.readable);
    if (open.length === 0 && closed.length > 0) return unknown(unseen(closed));
    return failEach(
      open.map(({ path, holds, mode }) => ({
        about: path,
        evidence: `${path} (${holds}) is ${octal(mode)}`,
        fix: [chmod(path, mode & 0o770, mode)],
        at: { file: path, line: 1 },
      })),
      `${files} files, no secret that every user can read`,
    );
  },
};

/** What was not looked at, in words. */
export function unseen(closed: readonly { readonly path: string; readonly reason: string }[]): string {
  const [first] = closed;
  const more = closed.length > 1 ? ` and ${closed.length - 1} more` : '';
  return `could not be looked at: ${first?.path} (${first?.reason})${more}`;
}
