import { type Fact, maybe, observe, observed, unobserved } from '../facts/fact.js';
import type { HostFacts, NodeFacts } from '../facts/facts.js';
import type { ProjectFacts, UnitFacts, UnreadableFile } from '../facts/project-facts.js';
import { loadCveData } from './cve-data.js';
import { describedNode, directivesOfCommand, nodeOfAclFile, nodeOfConfigFile } from './file-node.js';
import { readHost, startPackagePolicy } from './host.js';
import { isThisMachine } from './process.js';
import { noProjectFiles, readProject } from './project.js';
import { operationsOf } from './records.js';
import type { Gathered, GatherRequest } from './request.js';
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
  // A server started by hand belongs to the unit of whoever started it, a build agent's for example.
  const units = found.filter(
    (unit): unit is UnitFacts => unit !== undefined && /redis|valkey|dragonfly/i.test(unit.settings['ExecStart'] ?? ''),
  );
  return units.length === 0 ? project : { ...project, units: observed(units, 'systemd') };
}

/** Servers as files describe them: configuration and ACL files, and the options in containers' commands. */
async function describedNodes(
  files: readonly string[],
  project: ProjectFacts,
): Promise<{ nodes: NodeFacts[]; unreadable: UnreadableFile[] }> {
  const nodes: NodeFacts[] = [];
  const unreadable: UnreadableFile[] = [];
  for (const file of files) {
    try {
      nodes.push(await (file.endsWith('.acl') ? nodeOfAclFile(file) : nodeOfConfigFile(file)));
    } catch (error) {
      unreadable.push({ file, reason: (error instanceof Error ? error.message : String(error)).split('\n')[0]! });
    }
  }
  for (const container of maybe(project.containers) ?? []) {
    const { file, line } = container.at;
    const directives = container.isServer ? directivesOfCommand(container.command, file, line) : undefined;
    if (directives === undefined || directives.length === 0) continue;
    const engine = /valkey/.test(container.image) ? 'valkey' : 'redis';
    const packaged = { 'protected-mode': 'no' };
    nodes.push(await describedNode({ subject: `${file}: ${container.name}`, engine, directives, packaged }));
  }
  return { nodes, unreadable };
}

/** Looks at everything the request names, once. Nodes that do not answer are listed, not forgotten. */
export async function gather(request: GatherRequest): Promise<Gathered> {
  const here = request.endpoints.some(({ host }) => isThisMachine(host));
  const policy = here ? startPackagePolicy() : Promise.resolve('');
  const visits = new Visits(request);
  await visits.run();
  const { unreachable } = visits;
  const project = await readProject(request.project ?? noProjectFiles);
  const described = await describedNodes(request.serverFiles ?? [], project);
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
      operations: request.operations ?? operationsOf({}, ''),
      cves: request.cves ?? (await loadCveData()),
    },
  };
}
