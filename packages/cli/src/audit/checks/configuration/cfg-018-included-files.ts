import { need } from '../../facts/fact.js';
import { failEach, type NodeCheck, redisAndValkey } from '../check.js';
import { chmod } from '../fix.js';
import { octal } from '../read.js';

export const cfg018: NodeCheck = {
  id: 'CFG-018',
  title: 'An included configuration file is writable by others',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:H/A:N',
  why: 'Anyone who can write an included file can change the configuration.',
  passes: 'includes are writable by their owner only',
  maps: 'INT',
  engines: redisAndValkey,
  judge(node) {
    const { includes, file } = need(need(node.files).config);
    const open = [...includes, ...(file ? [file] : [])].filter((one) => (one.mode & 0o022) !== 0);
    return failEach(
      open.map((one) => ({
        about: one.path,
        evidence: `${one.path} is ${octal(one.mode)}`,
        fix: [chmod(one.path, one.mode & 0o755 & ~0o022, one.mode)],
      })),
      `${includes.length + 1} files, writable by their owner only`,
    );
  },
};
