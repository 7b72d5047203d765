import { maybe, need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { advise, newPassword } from '../fix.js';
import { daysBetween } from '../read.js';

export const auth010: SystemCheck = {
  id: 'AUTH-010',
  title: 'Passwords or encryption keys are older than the policy allows',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'A password or key that leaked unnoticed works until it is changed.',
  passes: 'passwords rotated within 90 days, encryption keys within 365',
  maps: 'PWD',
  from: 'production',
  sources: ['PCI DSS 8.6.3'],
  judgeAll(facts) {
    const older = (rotations: Readonly<Record<string, string>>, days: number) =>
      Object.entries(rotations).filter(([, at]) => daysBetween(at, facts.observedAt) > days);
    const passwords = older(need(facts.operations.rotations), 90);
    const keys = older(maybe(facts.operations.keyRotations) ?? {}, 365);
    return failEach(
      [
        ...passwords.map(([user, at]) => ({
          about: user,
          evidence: `${user} was last rotated on ${at.slice(0, 10)}`,
          fix: newPassword(user),
        })),
        ...keys.map(([ring, at]) => ({
          about: ring,
          evidence: `the ring ${ring} got its newest key on ${at.slice(0, 10)}`,
          fix: [advise('Give the ring a new key: redkeep rotate encryption-keys.')],
        })),
      ],
      'every password is younger than 90 days, and every ring has a key younger than 365',
    );
  },
};
