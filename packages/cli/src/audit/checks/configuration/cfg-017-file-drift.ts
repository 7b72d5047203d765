import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { driftOf } from '../drift.js';
import { advise, config } from '../fix.js';

export const cfg017: NodeCheck = {
  id: 'CFG-017',
  title: 'The running configuration differs from the file',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N',
  why: 'Either someone changed the running server by hand, or the next restart undoes a fix.',
  passes: 'the settings that matter are the same',
  maps: 'INT',
  engines: redisAndValkey,
  sources: ['PCI DSS 11.5.2'],
  judge(node) {
    const directives = need(need(node.files).config).directives;
    const running = need(node.config);
    const differences = driftOf(directives, running);
    return failEach(
      differences.map(({ name, file, now, at }) => ({
        about: name,
        evidence: `${name} is "${now}", the file says "${file}"`,
        fix: [config(name, file, now), advise('or keep what runs: CONFIG REWRITE')],
        at,
      })),
      `${directives.length} directives compared`,
    );
  },
};
