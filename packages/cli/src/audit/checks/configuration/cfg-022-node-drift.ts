import { maybe, need } from '../../facts/fact.js';
import type { NodeFacts } from '../../facts/facts.js';
import { failEach, notApplicable, type SystemCheck } from '../check.js';
import { config, run } from '../fix.js';

/** Settings that belong to one node, or to its role, and may differ. */
const ownToNode =
  /^(bind|port|tls-port|cluster-port|unixsocket|unixsocketperm|dir|dbfilename|appenddirname|appendfilename|logfile|aclfile|save|appendonly|replica-.*|tls-.*-file|tls-ca-cert-dir|min-(replicas|slaves)-to-write)$/;

function differing(first: NodeFacts, other: NodeFacts): [name: string, here: string, there: string][] {
  const [here, there] = [need(first.config), need(other.config)];
  return Object.keys(here)
    .filter((name) => !ownToNode.test(name) && there[name] !== undefined && there[name] !== here[name])
    .map((name) => [name, here[name]!, there[name]!]);
}

export const cfg022: SystemCheck = {
  id: 'CFG-022',
  title: 'Nodes of one deployment differ',
  cvss: 'AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:N',
  why: 'After a failover the settings of the other node apply, including limits that were not intended.',
  passes: 'the same version and the same settings on every node, but for addresses and files',
  maps: 'INT',
  sources: ['CM-2'],
  judgeAll(facts) {
    const nodes = facts.nodes.filter((node) => maybe(node.engine)?.mode !== 'sentinel');
    const [first, ...others] = nodes;
    if (!first || others.length === 0) return notApplicable('one node only');
    const version = (node: NodeFacts): string => `${need(node.engine).name} ${need(node.engine).version}`;
    return failEach(
      others.flatMap((node) => [
        ...(version(node) === version(first)
          ? []
          : [
              {
                about: `${node.address} version`,
                evidence: `${node.address} runs ${version(node)}, ${first.address} ${version(first)}`,
                fix: [run('redkeep status', '# nothing: it only reads')],
              },
            ]),
        ...differing(first, node).map(([name, here, there]) => ({
          about: `${node.address} ${name}`,
          evidence: `${name} is "${there}" on ${node.address}, "${here}" on ${first.address}`,
          fix: [config(name, here, there)],
        })),
      ]),
      `${nodes.length} nodes, ${version(first)}, the same settings`,
    );
  },
};
