import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { newPassword } from '../fix.js';
import { daysBetween } from '../read.js';

export const auth010: SystemCheck = {
  id: 'AUTH-010',
  title: 'Passwords are older than the policy allows',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'A password that leaked unnoticed works until it is changed.',
  passes: 'rotated within 90 days',
  maps: 'PWD',
  from: 'production',
  sources: ['PCI DSS 8.6.3'],
  judgeAll(facts) {
    const old = Object.entries(need(facts.operations.rotations)).filter(
      ([, at]) => daysBetween(at, facts.observedAt) > 90,
    );
    return failEach(
      old.map(([user, at]) => ({
        about: user,
        evidence: `${user} was last rotated on ${at.slice(0, 10)}`,
        fix: newPassword(user),
      })),
      'every password is younger than 90 days',
    );
  },
};
