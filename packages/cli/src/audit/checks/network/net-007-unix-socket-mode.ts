import { need } from '../../facts/fact.js';
import { fail, type NodeCheck, notApplicable, pass } from '../check.js';
import { advise, chmod } from '../fix.js';
import { exceeds, octal, settingIfAny } from '../read.js';

export const net007: NodeCheck = {
  id: 'NET-007',
  title: 'Every user of the host can use the Unix socket',
  cvss: 'AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N',
  why: 'The socket bypasses TLS and network rules; only its file mode protects it.',
  passes: 'mode 0770 or stricter',
  maps: 'FILE',
  sources: ['CVE-2023-45145', 'CWE-732'],
  judge(node) {
    if (node.fromFiles) {
      const path = settingIfAny(node, 'unixsocket') ?? '';
      if (path === '') return notApplicable('no Unix socket is used');
      const mode = Number.parseInt(settingIfAny(node, 'unixsocketperm') ?? '700', 8);
      return exceeds(mode, 0o770)
        ? fail(`unixsocketperm gives ${path} the mode ${octal(mode)}`, advise('unixsocketperm 770'))
        : pass(`${path} is ${octal(mode)}`);
    }
    const socket = need(need(node.files).socket);
    if (socket === null) return notApplicable('no Unix socket is used');
    if (!exceeds(socket.mode, 0o770)) return pass(`${socket.path} is ${octal(socket.mode)}`);
    return fail(
      `${socket.path} is ${octal(socket.mode)}`,
      chmod(socket.path, 0o770, socket.mode),
      advise('and unixsocketperm 770 in the configuration'),
    );
  },
};
