import { maybe, need, unobserved } from '../../facts/fact.js';
import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { chmod, run, shellQuote } from '../fix.js';
import { exceeds, octal } from '../read.js';

export const cfg005: NodeCheck = {
  id: 'CFG-005',
  title: 'Unknown modules are loaded',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'A module is native code inside the server; attackers leave them behind.',
  passes: 'modules that ship with the engine, or that are declared; their files belong to root',
  maps: 'INT',
  dataOnly: true,
  engines: redisAndValkey,
  sources: ['CWE-829', 'redis-baseline a2'],
  judge(node, facts) {
    const shipped = ['bf', 'search', 'ReJSON', 'timeseries', 'vectorset', 'json', 'lua', 'ldap', 'compat'];
    const unknownModules = need(node.modules).filter(
      (module) => ![...shipped, ...facts.expectations.modules].includes(module.name),
    );
    const writable = (maybe(maybe(node.files)?.modules ?? unobserved('')) ?? []).filter(
      (file) => file.uid !== 0 || exceeds(file.mode, 0o755),
    );
    return failEach(
      [
        ...unknownModules.map((module) => ({
          about: module.name,
          evidence: `${module.name} from ${module.path || 'unknown path'}`,
          fix: [
            run(
              `redis-cli MODULE UNLOAD ${shellQuote(module.name)}`,
              `redis-cli MODULE LOAD ${shellQuote(module.path || 'PATH')}`,
            ),
          ],
        })),
        ...writable.map((file) => ({
          about: file.path,
          evidence: `${file.path} does not belong to root alone (${octal(file.mode)})`,
          fix: [
            run(`chown root:root ${shellQuote(file.path)}`, `chown ${file.uid}:${file.gid} ${shellQuote(file.path)}`),
            chmod(file.path, 0o755, file.mode),
          ],
        })),
      ],
      need(node.modules)
        .map((module) => module.name)
        .join(', ') || 'no module is loaded',
    );
  },
};
