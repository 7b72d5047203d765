import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli011: SystemCheck = {
  id: 'CLI-011',
  title: 'A command or script is built by joining strings',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:N',
  why: 'Input that is joined into a script or a command can run as code.',
  passes: 'arguments are passed as arguments; scripts are constant',
  maps: 'CLIENT',
  sources: ['CWE-94', 'CWE-77'],
  effort: 'hours',
  judgeAll: inSource(
    ['built-command', 'interpolated-script'],
    'Pass values as KEYS and ARGV, or as separate arguments',
  ),
};
