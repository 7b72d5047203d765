import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const cfg013: NodeCheck = {
  id: 'CFG-013',
  title: 'Output buffers are not limited',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'A client that asks and does not read fills the memory, before logging in too (CVE-2025-21605).',
  passes: 'limits for pubsub clients, replicas and, from the production profile on, for normal ones',
  maps: 'AVAIL',
  dataOnly: true,
  engines: redisAndValkey,
  sources: ['CVE-2025-21605', 'CWE-770'],
  judge(node, facts) {
    const text = setting(node, 'client-output-buffer-limit');
    const classes = [...text.matchAll(/(normal|replica|slave|pubsub) (\S+) (\S+) (\S+)/g)];
    const strict = facts.expectations.profile !== 'development';
    const open = classes.filter(
      ([, name, hard, soft]) => hard === '0' && soft === '0' && (name !== 'normal' || strict),
    );
    const values: Readonly<Record<string, string>> = {
      pubsub: '33554432 8388608 60',
      normal: '268435456 67108864 60',
      replica: '268435456 67108864 60',
      slave: '268435456 67108864 60',
    };
    return failEach(
      open.map(([whole, name]) => ({
        about: name!,
        evidence: `${name} clients have no limit`,
        fix: [config('client-output-buffer-limit', `${name} ${values[name!]}`, whole)],
      })),
      text,
    );
  },
};
