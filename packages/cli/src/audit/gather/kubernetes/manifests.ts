import { parseAclUser } from '../../facts/acl-user.js';
import { observed } from '../../facts/fact.js';
import type { AclFile } from '../../facts/facts.js';
import { parseDirectives } from '../config-file.js';
import { clearSecretsOf } from '../described-container.js';
import { addReading, emptyReading, type Reading } from '../reading.js';
import { looksLikeServerConfig } from '../server-config-text.js';
import { dataOf } from './config-data.js';
import { exposureFindings } from './exposure.js';
import { type KubeObject, podOf } from './objects.js';
import { readOperatorResource } from './operators.js';
import { configMapSecrets, secretFindings } from './secrets.js';
import { readWorkload, type ServerWorkload } from './workload.js';

/** Configurations in ConfigMaps and Secrets that no container of the manifests mounts. */
function unmountedConfigurations(objects: readonly KubeObject[], used: ReadonlySet<string>): Reading {
  const reading = emptyReading();
  for (const object of objects.filter(({ kind }) => kind === 'ConfigMap' || kind === 'Secret'))
    for (const [key, { text, at }] of dataOf(object)) {
      if (used.has(`${at.file}:${at.line}`) || !text.includes('\n') || !/\.(conf|acl)$/.test(key)) continue;
      const subject = `${object.at.file}: ${object.kind} ${object.name}, ${key}`;
      const engine = /valkey/i.test(`${object.name} ${key}`) ? ('valkey' as const) : ('redis' as const);
      if (key.endsWith('.acl')) {
        const users = text.split('\n').flatMap((line, index) => parseAclUser(line, at.line + index) ?? []);
        const acl: AclFile = { file: { path: at.file, mode: 0o600, uid: 0, gid: 0 }, users };
        if (users.length > 0)
          reading.servers.push({
            subject,
            engine,
            at,
            directives: [],
            unknown: 'an ACL file holds no settings',
            acl: observed(acl, at.file),
          });
        continue;
      }
      if (!looksLikeServerConfig(text, key)) continue;
      const directives = parseDirectives(text, at.file).map((one) => ({ ...one, line: one.line + at.line - 1 }));
      const aclFile = directives.findLast(({ name }) => name === 'aclfile');
      const server = {
        subject,
        engine,
        at,
        directives,
        container: { hostNetwork: false },
        acl: aclFile?.args[0]
          ? ({ observed: false, reason: 'its ACL file is not among the files' } as const)
          : observed(null, at.file),
        packaged: { 'protected-mode': 'no' },
      };
      reading.servers.push(server);
      if (object.kind === 'ConfigMap')
        for (const { name, at: where } of clearSecretsOf(directives))
          reading.findings.push({
            issue: 'secret-in-clear',
            about: `ConfigMap ${object.name}: ${name}`,
            at: where,
            detail: `ConfigMap ${object.name} holds ${name}: everybody who may read ConfigMaps reads it`,
            remedy: 'Keep it in a Secret that is made outside of the repository',
          });
    }
  return reading;
}

/** Everything that the manifests of one place say together. */
export async function readManifests(objects: readonly KubeObject[]): Promise<Reading> {
  const reading = emptyReading();
  const workloads: ServerWorkload[] = [];
  const tools: ServerWorkload[] = [];
  const servers: KubeObject[] = [];
  for (const object of objects) {
    const operator = readOperatorResource(object);
    addReading(reading, operator);
    if (operator.servers.length > 0) servers.push(object);
    if (!podOf(object)) continue;
    const { readings, server, tool } = await readWorkload(object, objects);
    for (const one of readings) addReading(reading, one);
    if (tool) tools.push(tool);
    if (server) {
      workloads.push(server);
      servers.push(object);
    }
  }
  const used = new Set(
    reading.servers.flatMap(({ directives }) => directives.map(({ file, line }) => `${file}:${line}`)),
  );
  const mounted = new Set<string>(used);
  // A configuration counts as mounted when its first directive was read with a server.
  for (const object of objects)
    if (object.kind === 'ConfigMap' || object.kind === 'Secret')
      for (const { text, at } of dataOf(object).values())
        if (parseDirectives(text, at.file).some(({ line }) => used.has(`${at.file}:${line + at.line - 1}`)))
          mounted.add(`${at.file}:${at.line}`);
  addReading(reading, unmountedConfigurations(objects, mounted));
  reading.findings.push(
    ...exposureFindings(objects, workloads, tools),
    ...secretFindings(objects, servers),
    ...configMapSecrets(objects),
  );
  return reading;
}
