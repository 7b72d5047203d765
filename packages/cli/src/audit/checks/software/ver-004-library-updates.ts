import { need } from '../../facts/fact.js';
import { fail, pass, type SystemCheck } from '../check.js';
import { advise, run } from '../fix.js';

export const ver004: SystemCheck = {
  id: 'VER-004',
  title: "The server's libraries have pending updates",
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'TLS is only as secure as the OpenSSL library it uses.',
  passes: 'no newer package is offered',
  maps: 'VULN',
  effort: 'hours',
  judgeAll(facts) {
    const waiting = need(need(facts.host).updates);
    return waiting.length === 0
      ? pass('no newer package is offered (as of the last apt-get update)')
      : fail(
          waiting.join(', '),
          run(
            `apt-get install --only-upgrade ${waiting.map((one) => one.split(' ')[0]).join(' ')}`,
            `apt-get install ${waiting.map((one) => `${one.split(' ')[0]}=${one.split(' ')[1]}`).join(' ')}`,
          ),
          advise('and restart the server'),
        );
  },
};
