import { DoesNotApply, maybe, need } from '../facts/fact.js';
import type { ContainerFacts, Location } from '../facts/project-facts.js';
import { failEach, type SystemRule, unknown } from './check.js';
import { advise } from './fix.js';

/** What is wrong, and where if that is not one of the container's known places. */
interface Fault {
  readonly evidence: string;
  readonly at?: Location | undefined;
}

/**
 * A rule that judges every container that runs a server; a finding points to the first of `keys` that the file has.
 * Without container files, a process outside of any container settles the question; a server nobody could look beside
 * stays unknown.
 */
export const perServer =
  (
    keys: readonly string[],
    fault: (container: ContainerFacts) => string | Fault | undefined,
    remedy: string,
  ): SystemRule =>
  (facts) => {
    const bare =
      facts.expectations.inContainers === false ||
      (facts.nodes.length > 0 && facts.nodes.every((node) => maybe(node.process)?.containerized === false));
    if (!facts.project.containers.observed && bare) throw new DoesNotApply('the server does not run in a container');
    const servers = need(facts.project.containers).filter((one) => one.isServer);
    if (servers.length === 0) throw new DoesNotApply('no server among the containers');
    const found = failEach(
      servers.flatMap((one) => {
        const found = fault(one);
        if (found === undefined) return [];
        const { evidence, at } = typeof found === 'string' ? { evidence: found } : found;
        return [
          {
            about: one.name,
            evidence: `${one.name}: ${evidence}`,
            fix: [advise(remedy)],
            at: at ?? keys.flatMap((key) => one.places[key] ?? [])[0] ?? one.at,
          },
        ];
      }),
      servers.map((one) => one.name).join(', '),
    );
    const broken = facts.project.unreadable.filter(({ file }) => /\.ya?ml$/.test(file));
    return found.status === 'pass' && broken.length > 0
      ? unknown(`not every file could be read: ${broken.map(({ file, reason }) => `${file}: ${reason}`).join('; ')}`)
      : found;
  };

const sensitive =
  /^(\/|\/etc|\/root|\/home|\/proc|\/sys|\/dev|\/boot|\/usr|\/var|\/var\/run|\/run|\/var\/lib|\/var\/lib\/docker)\/?$|docker\.sock$|containerd\.sock$|\.ssh/;

export function sensitiveMounts(container: ContainerFacts): ContainerFacts['mounts'] {
  return container.mounts.filter(({ path }) => sensitive.test(path));
}

export function leaksPassword(container: ContainerFacts): boolean {
  const line = [container.healthCheck ?? '', ...container.command].join(' ');
  return /(^|\s)(-a|--pass|--requirepass|--masterauth)[\s=]+["']?[^\s"']+/.test(line);
}
