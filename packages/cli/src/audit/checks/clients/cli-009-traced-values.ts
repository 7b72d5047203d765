import { type SystemCheck, unknown } from '../check.js';

export const cli009: SystemCheck = {
  id: 'CLI-009',
  title: 'Keys or values appear in traces',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N',
  why: "Traces are stored and read outside the database's access control.",
  passes: 'no tracing of arguments in the source',
  maps: 'CLIENT',
  sources: ['CWE-532'],
  judgeAll() {
    // No rule recognizes the tracing libraries' settings, so nothing may be concluded from a source.
    return unknown(
      'how tracing is set up cannot be read from sources: see that it leaves arguments out (dbStatementSerializer)',
    );
  },
};
