import { need } from '../../facts/fact.js';
import { type NodeCheck, notApplicable, pass } from '../check.js';
import { judgePrivate } from '../read.js';

const holdsSecret = /^(requirepass|masterauth|primaryauth|tls-(client-)?key-file-pass|user|sentinel)$/;

export const host003: NodeCheck = {
  id: 'HOST-003',
  title: 'The configuration file is readable by others',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'It holds passwords and shows the way to the rest. CONFIG REWRITE gives a 0600 file the mode 0644 back unless the umask is 077.',
  passes: 'mode 0640 or stricter',
  maps: 'FILE',
  sources: ['CWE-732', 'Lynis DBS-1882', 'redis-baseline a65'],
  judge(node) {
    const { file, directives } = need(need(node.files).config);
    if (file === undefined) return notApplicable('the settings are not in a file of their own');
    // A file of a source tree has the mode it was checked out with; without a secret in it, that says nothing.
    if (node.fromFiles && !directives.some(({ name, args }) => holdsSecret.test(name) && args.some(Boolean)))
      return pass(`${file.path} holds no password`);
    return judgePrivate(file);
  },
};
