import { aclFingerprint } from '../../facts/acl-user.js';
import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { advise, run, shellQuote } from '../fix.js';

export const auth013: NodeCheck = {
  id: 'AUTH-013',
  title: 'The running ACL differs from the ACL file',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:L/A:N',
  why: 'Rights given by hand vanish, or come back, at the next restart; a quiet change is also how intruders stay.',
  passes: 'ACL LIST and the ACL file describe the same users',
  maps: 'INT',
  dataOnly: true,
  engines: { redis: '7.0', valkey: '7.2' },
  sources: ['CM-3'],
  judge(node) {
    const file = need(need(node.files).acl);
    if (file === null) return notApplicable('no ACL file is used');
    const live = need(node.users);
    const commands = need(node.commands);
    const names = [...new Set([...live, ...file.users].map((user) => user.name))].sort();
    const differences = names.flatMap((name) => {
      const [running, written] = [live, file.users].map((users) => users.find((user) => user.name === name));
      if (!running) return [`${name} is only in the file`];
      if (!written) return [`${name} is only in the running server`];
      const [now, then] = [aclFingerprint(running, commands), aclFingerprint(written, commands)];
      const parts = Object.keys(now).filter((part) => now[part] !== then[part]);
      return parts.length > 0 ? [`${name} differs in ${parts.join(', ')}`] : [];
    });
    if (differences.length === 0) return pass(`${names.length} users, the same in ${file.file.path}`);
    return fail(
      differences.join('; '),
      advise('Look at who changed what (ACL LOG, rotation journal). To keep what runs:'),
      run(
        `cp -p ${shellQuote(file.file.path)} ${shellQuote(`${file.file.path}.before`)}; redis-cli ACL SAVE`,
        `mv ${shellQuote(`${file.file.path}.before`)} ${shellQuote(file.file.path)}; redis-cli ACL LOAD`,
      ),
      advise('To return to the file (before Redis 7.4 this drops every connection):'),
      run(
        'redis-cli ACL LIST > before.acl; redis-cli ACL LOAD',
        '# set the users of before.acl again, one ACL SETUSER a line',
      ),
    );
  },
};
