import type { ContainerFacts, FileFinding, UnitFacts, UnreadableFile } from '../facts/project-facts.js';
import type { DescribedServer } from './file-node.js';

/** What one deployment file, or several that belong together, say. */
export interface Reading {
  readonly containers: ContainerFacts[];
  readonly units: UnitFacts[];
  readonly servers: DescribedServer[];
  readonly findings: FileFinding[];
  readonly unreadable: UnreadableFile[];
  readonly remarks: string[];
  /** Dockerfiles that services are built from. */
  readonly recipes: string[];
}

export function emptyReading(): Reading {
  return { containers: [], units: [], servers: [], findings: [], unreadable: [], remarks: [], recipes: [] };
}

/** Adds what another reading found. */
export function addReading(to: Reading, from: Partial<Reading>): void {
  to.containers.push(...(from.containers ?? []));
  to.units.push(...(from.units ?? []));
  to.servers.push(...(from.servers ?? []));
  to.findings.push(...(from.findings ?? []));
  to.unreadable.push(...(from.unreadable ?? []));
  to.recipes.push(...(from.recipes ?? []));
  to.remarks.push(...(from.remarks ?? []));
}
