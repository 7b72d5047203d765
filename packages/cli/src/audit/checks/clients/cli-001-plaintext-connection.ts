import type { SystemCheck } from '../check.js';
import { inSource } from '../source.js';

export const cli001: SystemCheck = {
  id: 'CLI-001',
  title: 'The application connects without TLS',
  cvss: 'AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:N',
  why: 'Anyone on the network path can read passwords and data.',
  passes: 'rediss:// everywhere but loopback',
  maps: 'CLIENT',
  sources: ['CWE-319'],
  effort: 'hours',
  judgeAll: inSource(['plaintext-url'], 'rediss://', 'plaintext-url'),
};
