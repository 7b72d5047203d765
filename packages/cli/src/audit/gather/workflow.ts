import { isLoopback } from 'redkeep';
import type { FileFinding, Location } from '../facts/project-facts.js';
import { isAboutServers, isClearSecret, serverUrls } from './client-urls.js';
import { splitShell } from './command-line.js';
import { commandSecrets } from './described-container.js';
import { isTreeMap, placeOf, type Tree, treeMap, treeText } from './yaml-tree.js';

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

/** Whether a build starts a server of its own, whose passwords are test data. */
function hasOwnServer(variables: readonly { readonly name: string; readonly value: string }[], text: string): boolean {
  return (
    /^\s*-?\s*(services|containers)\s*:|image\s*:\s*\S*(redis|valkey)/m.test(text) ||
    variables.some(({ value }) =>
      /redis-server|valkey-server|docker(-|\s+)compose|\b(docker|podman)\s+run\b/.test(value),
    )
  );
}

const isElsewhere = (value: string): boolean =>
  serverUrls(value).some(({ host }) => host.includes('.') && !isLoopback(host));

/** Passwords in the commands of a build that reach another machine by its name. */
function commandFindings({ value, at }: { value: string; at: Location }): FileFinding[] {
  return splitShell(value)
    .map((words) => words.map((text) => ({ text, at })))
    .filter((words) =>
      words.some(({ text }, index) => /^(-h|--host)$/.test(words[index - 1]?.text ?? '') && text.includes('.')),
    )
    .flatMap(commandSecrets)
    .map(({ name }) => finding(name, at, `a command holds ${name.replace(/ in the command$/, '')}`));
}

const finding = (about: string, at: Location, detail: string): FileFinding => ({
  issue: 'secret-in-clear',
  about,
  at,
  detail,
  remedy: 'Keep it in the secrets of the build service, and rotate it: it is in the history',
});

/**
 * Secrets in a build's workflow that lead elsewhere. The servers that a build starts for itself hold test data, for
 * minutes, on a machine of their own: they are not judged.
 */
export function workflowFindings(tree: Tree, file: string, text = ''): FileFinding[] {
  const variables = [...variablesIn(tree)].map((one) => ({ ...one, at: one.at ?? { file, line: 1 } }));
  const isAlone = hasOwnServer(variables, text);
  return variables.flatMap((one) => {
    if (/\b(redis|valkey)-cli\b/.test(one.value)) return commandFindings(one);
    if (!isAboutServers(one) || !isClearSecret(one)) return [];
    if (serverUrls(one.value).length > 0)
      return isElsewhere(one.value) ? [finding(one.name, one.at, `${one.name} holds an address with a password`)] : [];
    return isAlone
      ? []
      : [finding(one.name, one.at, `${one.name} is written out, and the build starts no server of its own`)];
  });
}

/** Builds of GitHub, Forgejo and CircleCI (`jobs`), GitLab, Azure and Bitbucket (by their names). */
export function isWorkflow(tree: Tree, file: string): boolean {
  return (
    isTreeMap(treeMap(tree)['jobs']) ||
    /(^|\/)(\.gitlab-ci|azure-pipelines|bitbucket-pipelines|\.travis|\.drone|\.woodpecker)(\.[\w.-]+)?\.ya?ml$/.test(
      file,
    )
  );
}
