import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli009: SystemCheck = {
  id: 'CLI-009',
  title: 'Keys or values are traced in clear',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: 'Traces are kept and read far from the data.',
  passes: 'no tracing of arguments in the source',
  maps: 'CLIENT',
  sources: ['CWE-532'],
  judgeAll(facts) {
    return inSource(
      facts,
      ['traced-arguments'],
      'Leave arguments out: dbStatementSerializer, or the defaults of redkeep',
    );
  },
};
