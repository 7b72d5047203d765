import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli012: SystemCheck = {
  id: 'CLI-012',
  title: 'The application calls commands that stop or empty the server',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:L',
  why: 'KEYS blocks the server while it walks every key; FLUSHALL deletes everything at once.',
  passes: 'SCAN instead of KEYS; no FLUSHALL outside of tests',
  maps: 'CLIENT',
  sources: ['CWE-400'],
  effort: 'hours',
  judgeAll: inSource(['dangerous-call'], 'Use scanIterator, or delete by pattern in steps'),
};
