import { type Fact, maybe, NotObserved, observe, unobserved } from '../facts/fact.js';
import type { Expectations, Facts, HostFacts, NodeFacts, OperationFacts } from '../facts/facts.js';
import { loadCveData } from './cve-data.js';
import type { Endpoint } from './endpoint.js';
import { readHost, startPackagePolicy } from './host.js';
import { gatherNode, type NodeOptions } from './node.js';
import { isThisMachine } from './process.js';
import { noProjectFiles, type ProjectFiles, readProject } from './project.js';

export interface GatherRequest {
  readonly endpoints: readonly Endpoint[];
  readonly expectations: Expectations;
  readonly openSession: NodeOptions['openSession'];
  readonly now: Date;
  readonly configFile?: string;
  readonly sampleKeys: number;
  readonly project?: ProjectFiles;
  readonly operations?: OperationFacts;
  readonly cveFile?: string;
}

export interface Gathered {
  readonly facts: Facts;
  readonly unreachable: readonly { readonly address: string; readonly reason: string }[];
}

const noOperations: OperationFacts = {
  rotations: unobserved('no rotation journal was found'),
  backups: unobserved('no backup manifest was found'),
  restoreTest: unobserved('no record of a restore test was found'),
  monitoring: unobserved('no record of a monitor was found'),
  commandsUsed: unobserved('no record of the commands in use was found (redkeep acl learn)'),
  dormant: unobserved('who is dormant shows over days: no record was found'),
};

function observeHost(nodes: readonly NodeFacts[], policy: Promise<string>): Promise<Fact<HostFacts>> {
  const local = nodes.find((node) => isThisMachine(node.host));
  if (!local) return Promise.resolve(unobserved('no audited server runs on this machine'));
  const directory = maybe(local.files)?.directory;
  const path = directory?.observed ? directory.value.path : undefined;
  return observe('host', () => readHost(path, maybe(local.engine)?.package?.name, policy));
}

/** Looks at everything the request names, once. Nodes that do not answer are listed, not forgotten. */
export async function gather(request: GatherRequest): Promise<Gathered> {
  const { expectations, openSession, configFile, sampleKeys } = request;
  const here = request.endpoints.some(({ host }) => isThisMachine(host));
  const policy = here ? startPackagePolicy() : Promise.resolve('');
  const unreachable: { address: string; reason: string }[] = [];
  const looked = await Promise.all(
    request.endpoints.map(async (endpoint) => {
      try {
        return await gatherNode({
          endpoint,
          expectations,
          openSession,
          sampleKeys,
          ...(configFile !== undefined && { configFile }),
        });
      } catch (error) {
        const reason = error instanceof NotObserved || error instanceof Error ? error.message : String(error);
        unreachable.push({ address: `${endpoint.host}:${endpoint.port}`, reason });
        return undefined;
      }
    }),
  );
  const nodes = looked.filter((node) => node !== undefined);
  return {
    unreachable,
    facts: {
      observedAt: request.now.toISOString(),
      expectations,
      nodes,
      host: await observeHost(nodes, policy),
      project: await readProject(request.project ?? noProjectFiles),
      operations: request.operations ?? noOperations,
      cves: await loadCveData(request.cveFile),
    },
  };
}
