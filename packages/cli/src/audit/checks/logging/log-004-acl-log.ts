import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { setting } from '../read.js';

export const log004: NodeCheck = {
  id: 'LOG-004',
  title: 'ACL LOG keeps few denied logins and commands',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N',
  why: 'ACL LOG lives in memory and keeps 128 entries by default: a password spray pushes its own traces out.',
  passes: 'acllog-max-len from 1024 (collecting it is LOG-010)',
  maps: 'LOG',
  dataOnly: true,
  judge(node) {
    const length = Number(setting(node, 'acllog-max-len'));
    return length >= 1024
      ? pass(String(length))
      : fail(`acllog-max-len ${length}`, config('acllog-max-len', '1024', String(length)));
  },
};
