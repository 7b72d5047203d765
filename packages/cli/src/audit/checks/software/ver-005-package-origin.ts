import { maybe, need } from '../../facts/fact.js';
import { fail, pass, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';

export const ver005: SystemCheck = {
  id: 'VER-005',
  title: "The origin of the server's package is not proved",
  cvss: 'AV:N/AC:L/PR:L/UI:N/S:U/C:N/I:L/A:N',
  why: 'Packages of an unsigned repository can be replaced by anyone on the network path.',
  passes: 'a signed repository, or an image pinned by digest',
  maps: 'INT',
  sources: ['redis-baseline a4'],
  judgeAll(facts) {
    const images = maybe(facts.project.containers)?.filter((one) => one.isServer) ?? [];
    if (images.length > 0 && images.every((one) => one.image.includes('@sha256:')))
      return pass('images pinned by digest');
    return need(need(facts.host).packageSigned)
      ? pass('from a repository with signatures')
      : fail(
          'a repository is trusted without signatures',
          advise('Remove trusted=yes and allow-insecure=yes from the sources'),
        );
  },
};
