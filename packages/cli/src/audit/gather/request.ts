import type { CveData } from '../facts/cves.js';
import type { Expectations, Facts, OperationFacts } from '../facts/facts.js';
import type { Endpoint } from './endpoint.js';
import type { NodeOptions } from './node.js';
import type { ProjectFiles } from './project-files.js';

export interface GatherRequest {
  readonly endpoints: readonly Endpoint[];
  readonly expectations: Expectations;
  readonly openSession: NodeOptions['openSession'];
  readonly now: Date;
  readonly configFile?: string;
  readonly sampleKeys: number;
  /** Whether nodes that the named ones speak of are looked at too; default true. */
  readonly follow?: boolean;
  readonly project?: ProjectFiles;
  /** Configuration and ACL files that are audited as files. */
  readonly serverFiles?: readonly string[];
  /** Folders of the deployment, which are walked for keys, passwords and configuration. */
  readonly folders?: readonly string[];
  readonly operations?: OperationFacts;
  /** Newer CVE data than this version brings. */
  readonly cves?: CveData;
}

export interface Gathered {
  readonly facts: Facts;
  readonly unreachable: readonly { readonly address: string; readonly reason: string }[];
}
