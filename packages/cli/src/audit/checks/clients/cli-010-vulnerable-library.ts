import { versionAtLeast } from '../../../vocabulary/engines.js';
import { need } from '../../facts/fact.js';
import { failEach, type SystemCheck } from '../check.js';
import { run } from '../fix.js';

export const cli010: SystemCheck = {
  id: 'CLI-010',
  title: 'A client library has known vulnerabilities',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:L/I:N/A:L',
  why: 'The library parses whatever the server, or an impostor, sends.',
  passes: 'no release with a published flaw',
  maps: 'CLIENT',
  sources: ['CWE-1104'],
  judgeAll(facts) {
    // CVE-2021-29469: exponential regular expression in monitor mode. ioredis below 4.27.8: prototype pollution in hgetall.
    const flawed: Readonly<Record<string, { readonly below: string; readonly from?: string; readonly what: string }>> =
      {
        redis: { from: '2.6.0', below: '3.1.1', what: 'CVE-2021-29469' },
        ioredis: { below: '4.27.8', what: 'prototype pollution in replies (GHSA)' },
      };
    const libraries = need(facts.project.libraries);
    const bad = libraries.filter((one) => {
      const known = flawed[one.name];
      return (
        known &&
        !versionAtLeast(one.version, known.below) &&
        (known.from === undefined || versionAtLeast(one.version, known.from))
      );
    });
    return failEach(
      bad.map((one) => ({
        about: one.name,
        evidence: `${one.name} ${one.version}: ${flawed[one.name]!.what}`,
        fix: [run(`npm install ${one.name}@latest`, `npm install ${one.name}@${one.version}`)],
        at: one.at,
      })),
      libraries.map((one) => `${one.name} ${one.version}`).join(', ') || 'no client library in the lockfile',
    );
  },
};
