import { maybe, NotObserved } from '../facts/fact.js';
import type { NodeFacts } from '../facts/facts.js';
import { addressText, mayFollow, peersOf } from './discover.js';
import type { Endpoint } from './endpoint.js';
import { gatherNode } from './node.js';
import type { Gathered, GatherRequest } from './request.js';

interface Visit {
  readonly endpoint: Endpoint;
  readonly foundThrough?: string;
}

type Missing = Gathered['unreachable'][number];

/** The most nodes one audit follows to, and how many it looks at side by side. */
const mostNodes = 256;
const atOnce = 4;

/** Looks at the nodes named and, round by round, at those they speak of. Each node once, whatever it is called. */
export class Visits {
  readonly nodes: NodeFacts[] = [];
  readonly unreachable: Missing[] = [];
  readonly #request: GatherRequest;
  readonly #known = new Set<string>();
  readonly #runIds = new Set<string>();

  constructor(request: GatherRequest) {
    this.#request = request;
  }

  async run(): Promise<void> {
    let round: Visit[] = this.#request.endpoints.map((endpoint) => ({ endpoint }));
    while (round.length > 0) {
      for (const { endpoint } of round) {
        this.#known.add(addressText(endpoint));
        if (endpoint.alias) this.#known.add(addressText(endpoint.alias));
      }
      const next: Visit[] = [];
      for (let index = 0; index < round.length; index += atOnce) {
        const visits = round.slice(index, index + atOnce);
        const looked = await Promise.all(visits.map((visit) => this.#look(visit)));
        for (const [at, node] of looked.entries()) {
          if (!node || this.#isKnown(node)) continue;
          this.nodes.push(node);
          next.push(...this.#peers(node, visits[at]!.endpoint));
        }
      }
      round = next;
    }
  }

  async #look({ endpoint, foundThrough }: Visit): Promise<NodeFacts | undefined> {
    const { expectations, openSession, configFile, sampleKeys } = this.#request;
    try {
      return await gatherNode({
        endpoint,
        expectations,
        openSession,
        sampleKeys,
        ...(configFile !== undefined && { configFile }),
        ...(foundThrough !== undefined && { foundThrough }),
      });
    } catch (error) {
      const reason = error instanceof NotObserved || error instanceof Error ? error.message : String(error);
      this.unreachable.push({
        address: addressText(endpoint),
        reason: foundThrough === undefined ? reason : `${reason} (named by ${foundThrough})`,
      });
      return undefined;
    }
  }

  /** Whether it was met before, under another address. */
  #isKnown(node: NodeFacts): boolean {
    const runId = maybe(node.info)?.['run_id'];
    if (runId === undefined) return false;
    const known = this.#runIds.has(runId);
    this.#runIds.add(runId);
    return known;
  }

  #peers(node: NodeFacts, seed: Endpoint): Visit[] {
    if (this.#request.follow === false) return [];
    const fresh = new Map(peersOf(node).map((peer) => [addressText(peer), peer]));
    return [...fresh].flatMap(([address, peer]) => {
      if (this.#known.has(address)) return [];
      this.#known.add(address);
      const reason = mayFollow(seed, peer)
        ? this.#known.size > mostNodes && `named by ${node.address}; one audit follows to at most ${mostNodes} nodes`
        : `named by ${node.address}, and no CA vouches for it: name it in the audit to have it looked at`;
      if (reason) {
        this.unreachable.push({ address, reason });
        return [];
      }
      const { servername, path: _path, via: _via, alias: _alias, mounts: _mounts, ...access } = seed;
      return [
        {
          endpoint: { ...access, ...peer, ...(peer.host === seed.host && servername !== undefined && { servername }) },
          foundThrough: node.address,
        },
      ];
    });
  }
}
