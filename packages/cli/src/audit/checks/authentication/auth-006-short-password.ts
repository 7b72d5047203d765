import { passwordBits } from '../../facts/acl-user.js';
import { maybe, need } from '../../facts/fact.js';
import type { Directive } from '../../facts/facts.js';
import type { Location } from '../../facts/project-facts.js';
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
    const clear = writtenPasswords(maybe(files.config)?.directives ?? []).map(({ about, password, at }) => ({
      about,
      bits: passwordBits(password),
      at,
    }));
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

/** Passwords that the configuration holds in clear, the last one of each kind. */
function writtenPasswords(directives: readonly Directive[]) {
  const found = new Map<string, { about: string; password: string; at: Location }>();
  for (const { name, args, file, line } of directives) {
    const isSentinels = name === 'sentinel' && /^(auth-pass|sentinel-pass)$/.test(args[0] ?? '');
    const password = isSentinels
      ? args.at(-1)
      : /^(requirepass|masterauth|primaryauth)$/.test(name)
        ? args[0]
        : undefined;
    const about = isSentinels ? args.slice(0, -1).join(' ') : name;
    if (password === '') found.delete(about);
    else if (password !== undefined && !isReference(password))
      found.set(about, { about, password, at: { file, line } });
  }
  return [...found.values()];
}
