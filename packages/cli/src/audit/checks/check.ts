import type { EngineName } from '../../vocabulary/engines.js';
import type { AuditProfile, Facts, NodeFacts } from '../facts/facts.js';
import type { Location } from '../facts/project-facts.js';
import type { FixStep } from './fix.js';
import type { MappingProfile } from './mappings.js';

export const areas = {
  NET: 'Network',
  AUTH: 'Authentication',
  ACL: 'Authorization',
  TLS: 'Transport',
  CFG: 'Configuration',
  VER: 'Software',
  HOST: 'Host',
  CTR: 'Container',
  LOG: 'Logging',
  BKP: 'Data and backup',
  CLI: 'Clients',
} as const;

export type Area = keyof typeof areas;
export type CheckId = `${Area}-${string}`;

/** How long the remedy usually takes, from a command to a project. */
export type Effort = 'minutes' | 'hours' | 'days';

interface Description {
  readonly id: CheckId;
  /** What is wrong when the check fails, as a sentence without a full stop. */
  readonly title: string;
  /** CVSS 3.1 base vector of the generic case (attacker on a network that reaches the server); `null`: worth knowing, not scored. */
  readonly cvss: string | null;
  /** Why it matters: one or two plain sentences. */
  readonly why: string;
  /** What a good system shows. */
  readonly passes: string;
  /** The standards' clauses it belongs to; see `mappings.ts`. */
  readonly maps: MappingProfile;
  /** CWE numbers and other catalogs' names for the same thing. */
  readonly sources?: readonly string[];
  readonly effort?: Effort;
  /** The least demanding profile that asks for it; `development` unless said. */
  readonly from?: AuditProfile;
  /** Engines (with the first version that has the feature); all of them unless said. */
  readonly engines?: Readonly<Partial<Record<EngineName, string>>>;
}

export type NodeRule = (node: NodeFacts, facts: Facts) => Verdict;
export type SystemRule = (facts: Facts) => Verdict;

/** Judged for every node by itself. */
export interface NodeCheck extends Description {
  /** Asks about data or about settings that a Sentinel, which has neither, does not know. */
  readonly dataOnly?: true;
  readonly judge: NodeRule;
}

/** Judged once: the project's files, the host, its operation, or all nodes beside each other. */
export interface SystemCheck extends Description {
  readonly judgeAll: SystemRule;
}

export type Check = NodeCheck | SystemCheck;

/** One place where a check failed. */
export interface Occurrence {
  /** What was seen, in words; never a secret. */
  readonly evidence: string;
  readonly fix: readonly FixStep[];
  /** What it concerns within its subject (a user, a file, a setting), so that the finding keeps its identity over runs. */
  readonly about?: string;
  readonly at?: Location;
}

export type Verdict =
  | { readonly status: 'pass'; readonly evidence: string }
  | { readonly status: 'fail'; readonly occurrences: readonly Occurrence[] }
  | { readonly status: 'unknown'; readonly reason: string }
  | { readonly status: 'not-applicable'; readonly reason: string };

export function pass(evidence: string): Verdict {
  return { status: 'pass', evidence };
}

export function fail(evidence: string, ...fix: FixStep[]): Verdict {
  return { status: 'fail', occurrences: [{ evidence, fix }] };
}

export function unknown(reason: string): Verdict {
  return { status: 'unknown', reason };
}

export function notApplicable(reason: string): Verdict {
  return { status: 'not-applicable', reason };
}

/** Fails with every occurrence there is, else passes. */
export function failEach(occurrences: readonly Occurrence[], otherwise: string): Verdict {
  return occurrences.length > 0 ? { status: 'fail', occurrences } : pass(otherwise);
}

export const redisAndValkey = { redis: '6.0', valkey: '7.2' } as const;
export const dragonfly = { dragonfly: '0' } as const;
