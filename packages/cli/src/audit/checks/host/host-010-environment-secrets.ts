import { maybe, NotObserved, unobserved } from '../../facts/fact.js';
import type { Location } from '../../facts/project-facts.js';
import { secretVariable } from '../../facts/secret-variable.js';
import { failEach, type SystemCheck } from '../check.js';
import { advise } from '../fix.js';

export const host010: SystemCheck = {
  id: 'HOST-010',
  title: 'Secrets are in environment variables',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N',
  why: 'Environment variables are inherited, printed by debuggers, stored in images and shown by "docker inspect".',
  passes: 'secrets come from files or a secret manager',
  maps: 'PWD',
  sources: ['CWE-798', 'CIS Docker 4.10'],
  judgeAll(facts) {
    const seen = new Set<string>();
    // An env file that several services share is one place.
    const isNew = ({ name, at }: { name: string; at: Location }): boolean => {
      const place = `${at.file}:${at.line} ${name}`;
      return !seen.has(place) && seen.add(place) !== undefined;
    };
    const fromFiles = (maybe(facts.project.containers) ?? []).flatMap((one) =>
      one.secretVariables.filter(isNew).map(({ name, at }) => ({
        about: `${one.name}: ${name}`,
        evidence: `${one.name}: ${name}`,
        fix: [advise('Use secrets: and *_FILE, or mount the secret as a file')],
        at,
      })),
    );
    const fromUnits = (maybe(facts.project.units) ?? []).flatMap((unit) => {
      const names = [...(unit.settings['Environment'] ?? '').matchAll(/(\w+)=/g)]
        .map(([, name]) => name!)
        .filter((name) => secretVariable.test(name) && !/_(FILE|PATH)$/.test(name));
      return names.length === 0
        ? []
        : [
            {
              about: unit.name,
              evidence: `${unit.name}: ${names.join(', ')}`,
              fix: [advise('Use LoadCredential=, or a file that only the service reads')],
              at: unit.places['Environment'] ?? unit.at,
            },
          ];
    });
    const fromProcesses = facts.nodes.flatMap((node) => {
      const names = maybe(maybe(node.process)?.secretVariables ?? unobserved('')) ?? [];
      return names.length === 0
        ? []
        : [
            {
              about: node.address,
              evidence: `the process of ${node.address} has ${names.join(', ')}`,
              fix: [advise('Start it without them')],
            },
          ];
    });
    if (
      !facts.project.containers.observed &&
      !facts.project.units.observed &&
      !facts.nodes.some((node) => maybe(node.process)?.secretVariables.observed)
    )
      throw new NotObserved(
        'no process environment could be read, and no Compose, Kubernetes or systemd file was given',
      );
    return failEach([...fromFiles, ...fromUnits, ...fromProcesses], 'no secret in an environment');
  },
};
