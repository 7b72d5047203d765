import { fail, type NodeCheck, pass } from '../check.js';
import { config } from '../fix.js';
import { settingIfAny } from '../read.js';

export const cfg019: NodeCheck = {
  id: 'CFG-019',
  title: 'Keyspace notifications cover every change of every key',
  cvss: 'AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N',
  why: 'Keyspace notifications show every subscriber the names of all keys, and cost time.',
  passes: 'notify-keyspace-events empty or limited to some classes',
  maps: 'CFG',
  dataOnly: true,
  judge(node) {
    const value = settingIfAny(node, 'notify-keyspace-events') ?? '';
    return /A/.test(value)
      ? fail(`notify-keyspace-events ${value}`, config('notify-keyspace-events', '', value))
      : pass(value || 'off');
  },
};
