import type { SystemCheck } from '../check.js';
import { leaksPassword, perServer } from '../containers.js';

export const ctr010: SystemCheck = {
  id: 'CTR-010',
  title: 'The image is not pinned, or a password is in the command',
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:N',
  why: 'A tag can point to another image tomorrow; "redis-cli -a" shows the password to every process list.',
  passes: 'image by digest; health check without a password among its arguments',
  maps: 'CTR',
  sources: ['CIS Docker 4.6', 'CIS Docker 5.28'],
  judgeAll: perServer(
    ['image'],
    (one) => {
      if (leaksPassword(one))
        return {
          evidence: 'the health check or command carries a password',
          at: one.places['healthcheck'] ?? one.places['command'],
        };
      return one.image === '' || one.image.includes('@sha256:') ? undefined : `${one.image} is not pinned by digest`;
    },
    'image: NAME@sha256:…, health check with REDISCLI_AUTH from a file',
  ),
};
