import { passwordBits } from '../../facts/acl-user.js';
import { maybe, need } from '../../facts/fact.js';
import { isReference } from '../../facts/reference.js';
import { failEach, type NodeCheck } from '../check.js';
import { newPassword } from '../fix.js';

export const auth006: NodeCheck = {
  id: 'AUTH-006',
  title: 'A password in a file is too short to be random',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'Hashes are unsalted SHA-256: what a person can remember, a graphics card finds.',
  passes: 'at least 128 bits',
  maps: 'PWD',
  sources: ['CWE-521'],
  judge(node) {
    const files = need(node.files);
    const users = (need(files.acl)?.users ?? []).filter((user) => user.weakestBits !== undefined);
    const clear = ['requirepass', 'masterauth'].flatMap((name) => {
      const found = maybe(files.config)?.directives.findLast((one) => one.name === name);
      return found?.args[0] && !isReference(found.args[0])
        ? [{ about: name, bits: passwordBits(found.args[0]), at: { file: found.file, line: found.line } }]
        : [];
    });
    const all = [
      ...users.map((user) => ({
        about: user.name,
        bits: user.weakestBits ?? 0,
        at: { file: need(files.acl)?.file.path ?? '', line: user.line ?? 1 },
      })),
      ...clear,
    ];
    return failEach(
      all
        .filter(({ bits }) => bits < 128)
        .map(({ about, bits, at }) => ({
          about,
          evidence: `${about}: about ${bits} bits`,
          fix: newPassword(about),
          at,
        })),
      all.length === 0 ? 'no clear password in the files' : `${all.length} passwords of at least 128 bits`,
    );
  },
};
