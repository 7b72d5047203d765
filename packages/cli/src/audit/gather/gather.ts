import { dirname, resolve } from 'node:path';
import type { ExposureFacts } from '../facts/exposure-facts.js';
import { type Fact, maybe, observe, observed, unobserved } from '../facts/fact.js';
import type { HostFacts, NodeFacts } from '../facts/facts.js';
import type { ProjectFacts, UnitFacts, UnreadableFile } from '../facts/project-facts.js';
import { loadCveData } from './cve-data.js';
import { type DescribedServer, describedNode, nodeOfAclFile, nodeOfConfigFile } from './file-node.js';
import { readHost, startPackagePolicy } from './host.js';
import { isThisMachine } from './process.js';
import { readProject } from './project.js';
import { noProjectFiles } from './project-files.js';
import { operationsOf } from './records.js';
import type { Gathered, GatherRequest } from './request.js';
import { reasonOf } from './text-file.js';
import { readInstalledUnit } from './unit-files.js';
import { Visits } from './visits.js';

function observeHost(nodes: readonly NodeFacts[], policy: Promise<string>): Promise<Fact<HostFacts>> {
  const local = nodes.find((node) => isThisMachine(node.host));
  if (!local) return Promise.resolve(unobserved('no audited server runs on this machine'));
  const directory = maybe(local.files)?.directory;
  const path = directory?.observed ? directory.value.path : undefined;
  return observe('host', () => readHost(path, maybe(local.engine)?.package?.name, policy));
}

/** Where no unit was given, the ones that local servers run from are read. */
async function withInstalledUnits(project: ProjectFacts, nodes: readonly NodeFacts[]): Promise<ProjectFacts> {
  const names = new Set(nodes.flatMap((node) => maybe(node.process)?.unit ?? []));
  if (project.units.observed || names.size === 0) return project;
  const found = await Promise.all([...names].map((name) => readInstalledUnit(name)));
  // A server started by hand belongs to the unit of its parent process, a build agent's for example.
  const units = found.filter(
    (unit): unit is UnitFacts => unit !== undefined && /redis|valkey|dragonfly/i.test(unit.settings['ExecStart'] ?? ''),
  );
  return units.length === 0 ? project : { ...project, units: observed(units, 'systemd') };
}

/** Files that servers of the deployment use, by their path: configurations, what these include, ACL files. */
function usedFiles(servers: readonly DescribedServer[]): Set<string> {
  return new Set(
    servers.flatMap(({ directives, acl }) => [
      ...directives.map(({ file }) => resolve(file)),
      ...(acl?.observed && acl.value?.file ? [resolve(acl.value.file.path)] : []),
    ]),
  );
}

function filesOfNode(node: NodeFacts): string[] {
  const files = maybe(node.files);
  const config = files && maybe(files.config);
  const acl = files && maybe(files.acl);
  return [...(config?.includes ?? []), ...(acl?.file ? [acl.file] : [])].map(({ path }) => resolve(path));
}

/** Servers as files describe them: configuration and ACL files, containers, units, operators' resources. */
async function describedNodes(
  named: readonly string[],
  found: readonly string[],
  servers: readonly DescribedServer[],
): Promise<{ nodes: NodeFacts[]; unreadable: UnreadableFile[] }> {
  const nodes: NodeFacts[] = [];
  const unreadable: UnreadableFile[] = [];
  const used = usedFiles(servers);
  // Configurations first: what they include, and their ACL files, are parts of them.
  const rest = found
    .filter((file) => !used.has(resolve(file)))
    .sort((a, b) => Number(a.endsWith('.acl')) - Number(b.endsWith('.acl')));
  for (const file of new Set([...named, ...rest])) {
    try {
      nodes.push(await (file.endsWith('.acl') ? nodeOfAclFile(file) : nodeOfConfigFile(file)));
    } catch (error) {
      unreadable.push({ file, reason: reasonOf(error) });
    }
  }
  const parts = new Set(nodes.flatMap((node) => filesOfNode(node).filter((file) => file !== resolve(node.address))));
  const whole = nodes.filter(({ address }) => named.includes(address) || !parts.has(resolve(address)));
  for (const server of servers) whole.push(await describedNode(server));
  return { nodes: whole, unreadable };
}

/** Walks the deployment's folders and those that servers on this machine take their files from. */
function observeExposure(request: GatherRequest, nodes: readonly NodeFacts[]): Promise<Fact<ExposureFacts>> {
  const local = nodes.flatMap((node) => maybe(node.files) ?? []);
  const named = local.flatMap((files) => {
    const config = maybe(files.config);
    return [config?.file, ...(config?.includes ?? []), maybe(files.acl)?.file, maybe(files.key)].flatMap(
      (file) => file?.path ?? [],
    );
  });
  const files = [...named, ...(request.serverFiles ?? [])];
  const folders = [...new Set([...(request.folders ?? []), ...named.map((file) => dirname(file))])];
  if (folders.length === 0 && files.length === 0)
    return Promise.resolve(unobserved('no folder was given, and no audited server takes its files from this machine'));
  const accounts = nodes.flatMap((node) => maybe(node.process)?.uid ?? []);
  return observe('file system', async () => {
    const { walkExposure } = await import('./exposure/walk.js');
    return walkExposure({ folders, files, accounts });
  });
}

/** Looks at everything the request names, once. Nodes that do not answer are listed, not forgotten. */
export async function gather(request: GatherRequest): Promise<Gathered> {
  const here = request.endpoints.some(({ host }) => isThisMachine(host));
  const policy = here ? startPackagePolicy() : Promise.resolve('');
  const visits = new Visits(request);
  await visits.run();
  const { unreachable } = visits;
  const files = request.project ?? noProjectFiles;
  const { project, servers } = await readProject(files);
  const described = await describedNodes(request.serverFiles ?? [], files.configs, servers);
  const nodes = [...visits.nodes, ...described.nodes];
  return {
    unreachable,
    facts: {
      observedAt: request.now.toISOString(),
      expectations: request.expectations,
      nodes,
      host: await observeHost(visits.nodes, policy),
      project: await withInstalledUnits(
        { ...project, unreadable: [...project.unreadable, ...described.unreadable] },
        visits.nodes,
      ),
      exposure: await observeExposure(request, visits.nodes),
      operations: request.operations ?? operationsOf({}, ''),
      cves: request.cves ?? (await loadCveData()),
    },
  };
}
