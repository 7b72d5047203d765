import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli005: SystemCheck = {
  id: 'CLI-005',
  title: 'The application logs in as the default user',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:L/I:L/A:N',
  why: 'Its rights cannot be limited without limiting all applications.',
  passes: 'a named user',
  maps: 'CLIENT',
  sources: [],
  effort: 'hours',
  judgeAll: inSource(['default-user'], 'rediss://USER@…, a user of its own (redkeep init --app)', 'default-user'),
};
