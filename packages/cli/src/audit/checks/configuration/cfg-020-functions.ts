import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { advise, config, run, shellQuote } from '../fix.js';
import { settingIfAny } from '../read.js';

export const cfg020: NodeCheck = {
  id: 'CFG-020',
  title: 'Unknown function libraries or the insecure Lua API are present',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:N',
  why: 'A library stays in the server and runs for every user that may call it.',
  passes: 'lua-enable-insecure-api no; libraries are declared',
  maps: 'INT',
  dataOnly: true,
  engines: { redis: '7.0', valkey: '7.2' },
  judge(node, facts) {
    const foreign = need(node.libraries).filter((name) => !facts.expectations.libraries.includes(name));
    const insecure =
      settingIfAny(node, 'lua-enable-insecure-api') === 'yes' ||
      settingIfAny(node, 'lua-enable-deprecated-api') === 'yes';
    return failEach(
      [
        ...(insecure
          ? [
              {
                about: 'lua',
                evidence: 'the insecure Lua functions are enabled',
                fix: [config('lua-enable-insecure-api', 'no', 'yes')],
              },
            ]
          : []),
        ...foreign.map((name) => ({
          about: name,
          evidence: `library ${name} is loaded and not declared`,
          fix: [
            run(
              `redis-cli FUNCTION DUMP > functions.dump; redis-cli FUNCTION DELETE ${shellQuote(name)}`,
              'head -c -1 functions.dump | redis-cli -x FUNCTION RESTORE',
            ),
            advise('or keep it, and accept the finding by a waiver with its owner and reason'),
          ],
        })),
      ],
      need(node.libraries).join(', ') || 'no library is loaded',
    );
  },
};
