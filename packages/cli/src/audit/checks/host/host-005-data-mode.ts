import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck } from '../check.js';
import { chmod } from '../fix.js';
import { exceeds, octal } from '../read.js';

export const host005: NodeCheck = {
  id: 'HOST-005',
  title: 'Data or log files are readable by others',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'A snapshot is the whole data set in one file.',
  passes: 'files 0640, their directory 0750, or stricter',
  maps: 'FILE',
  sources: ['CWE-732', 'STIG V-251247', 'redis-baseline a66'],
  judge(node) {
    const files = need(node.files);
    const directory = need(files.directory);
    const data = need(files.data);
    // A directory nobody else can enter protects what lies in it, whatever the files' own modes are.
    const closed = !exceeds(directory.mode, 0o750) && (directory.mode & 0o007) === 0;
    const open = closed ? [] : [directory, ...data.filter((file) => exceeds(file.mode, 0o640))];
    return failEach(
      open.map((file) => ({
        about: file.path,
        evidence: `${file.path} is ${octal(file.mode)}`,
        fix: [chmod(file.path, file === directory ? 0o750 : 0o640, file.mode)],
      })),
      `${directory.path} is ${octal(directory.mode)}`,
    );
  },
};
