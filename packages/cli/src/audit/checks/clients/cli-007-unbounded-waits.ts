import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli007: SystemCheck = {
  id: 'CLI-007',
  title: 'The application waits or retries without limit',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'A slow server then also stops the application.',
  passes: 'timeouts, bounded retries and queues',
  maps: 'CLIENT',
  sources: ['CWE-400'],
  effort: 'hours',
  judgeAll: inSource(['unbounded'], 'Set the limit'),
};
