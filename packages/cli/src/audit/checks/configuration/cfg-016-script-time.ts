import { fail, type NodeCheck, pass, redisAndValkey } from '../check.js';
import { config } from '../fix.js';
import { setting, settingIfAny } from '../read.js';

export const cfg016: NodeCheck = {
  id: 'CFG-016',
  title: 'A script may block the server for a long time',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:N/A:L',
  why: 'Until the threshold, no other client is served and the script cannot be stopped.',
  passes: 'at most 5000 ms',
  maps: 'AVAIL',
  dataOnly: true,
  engines: redisAndValkey,
  judge(node) {
    const name = settingIfAny(node, 'busy-reply-threshold') === undefined ? 'lua-time-limit' : 'busy-reply-threshold';
    const value = Number(setting(node, name));
    return value > 0 && value <= 5000
      ? pass(`${name} ${value}`)
      : fail(`${name} ${value}`, config(name, '5000', String(value)));
  },
};
