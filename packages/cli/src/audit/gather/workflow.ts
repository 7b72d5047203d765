import { isLoopback } from 'redkeep';
import type { FileFinding, Location } from '../facts/project-facts.js';
import { isAboutServers, isClearSecret, serverUrls } from './client-urls.js';
import { placeOf, type Tree, treeMap, treeText } from './yaml-tree.js';

function* variablesIn(tree: Tree): Generator<{ name: string; value: string; at: Location | undefined }> {
  if (Array.isArray(tree)) for (const item of tree) yield* variablesIn(item);
  else if (typeof tree === 'object' && tree !== null) {
    const map = treeMap(tree);
    for (const [name, value] of Object.entries(map)) {
      const text = treeText(value);
      if (text === undefined) yield* variablesIn(value);
      else yield { name, value: text, at: placeOf(map, name) };
    }
  }
}

/**
 * Secrets in a build's workflow that lead elsewhere. The servers that a build starts for itself hold test data, for
 * minutes, on a machine of their own: they are not judged.
 */
export function workflowFindings(tree: Tree, file: string): FileFinding[] {
  return [...variablesIn(tree)]
    .filter((one) => isAboutServers(one) && isClearSecret(one))
    .filter(({ value }) => serverUrls(value).some(({ host }) => host.includes('.') && !isLoopback(host)))
    .map(({ name, at }) => ({
      issue: 'secret-in-clear',
      about: name,
      at: at ?? { file, line: 1 },
      detail: `${name} holds an address with a password`,
      remedy: 'Keep it in the secrets of the build service, and rotate it: it is in the history',
    }));
}
