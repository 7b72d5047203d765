import type { FileFinding } from '../../facts/project-facts.js';
import { isReference } from '../../facts/reference.js';
import { isSecretName } from '../client-urls.js';
import { placeOf, type Tree, treeMap, treeText } from '../yaml-tree.js';
import { dataOf } from './config-data.js';
import type { KubeObject } from './objects.js';

const serverWord = /redis|valkey|dragonfly|keydb|sentinel/i;

/** Names of Secrets that a tree refers to, wherever a field can hold one. */
function* referredSecrets(tree: Tree | undefined): Generator<string> {
  if (Array.isArray(tree)) for (const item of tree) yield* referredSecrets(item);
  else if (typeof tree === 'object' && tree !== null) {
    const map = treeMap(tree);
    for (const [key, value] of Object.entries(map)) {
      const inner = treeMap(value);
      if (
        /^(secretKeyRef|secretRef|passwordFromSecret|redisSecret|tlsSecretRef|authSecret)$/.test(key) &&
        inner['name'] !== undefined
      )
        yield treeText(inner['name']) ?? '';
      else if (/^(secretName|secretPath|existingSecret|databaseSecretName)$/.test(key)) yield treeText(value) ?? '';
      yield* referredSecrets(value);
    }
  }
}

const encrypted = /^ENC\[|^AgA|^vault:|^ref\+|^<.*>$|^\*+$/;

/** Secrets of the servers whose values are in the manifests: base64 does not encrypt. */
export function secretFindings(objects: readonly KubeObject[], servers: readonly KubeObject[]): FileFinding[] {
  const used = new Set(servers.flatMap((object) => [...referredSecrets(object.spec)]));
  return objects
    .filter((one) => one.kind === 'Secret' && one.tree['sops'] === undefined)
    .flatMap((secret) =>
      [...dataOf(secret)]
        .filter(
          ([key, { text }]) =>
            (used.has(secret.name) || serverWord.test(secret.name) || (serverWord.test(key) && isSecretName(key))) &&
            text.trim() !== '' &&
            !isReference(text) &&
            !encrypted.test(text) &&
            !/^(ca\.crt|tls\.crt|username|user)$/.test(key),
        )
        .map(([key]) => ({
          issue: 'secret-in-clear' as const,
          about: `Secret ${secret.name}: ${key}`,
          at:
            placeOf(treeMap(secret.tree['stringData']), key) ?? placeOf(treeMap(secret.tree['data']), key) ?? secret.at,
          detail: `Secret ${secret.name} holds the value of ${key}: base64 is not encryption`,
          remedy:
            'Make it outside of the repository (external-secrets, sealed-secrets, SOPS), and rotate it: it is in the history',
        })),
    );
}

/** ConfigMaps of plain variables with a password among them. */
export function configMapSecrets(objects: readonly KubeObject[]): FileFinding[] {
  return objects
    .filter((one) => one.kind === 'ConfigMap')
    .flatMap((map) =>
      [...dataOf(map)]
        .filter(
          ([key, { text }]) =>
            !text.includes('\n') &&
            text !== '' &&
            serverWord.test(`${key} ${map.name}`) &&
            isSecretName(key) &&
            !isReference(text),
        )
        .map(([key, { at }]) => ({
          issue: 'secret-in-clear' as const,
          about: `ConfigMap ${map.name}: ${key}`,
          at,
          detail: `ConfigMap ${map.name} holds ${key}: everybody who may read ConfigMaps reads it`,
          remedy: 'Keep it in a Secret that is made outside of the repository',
        })),
    );
}
