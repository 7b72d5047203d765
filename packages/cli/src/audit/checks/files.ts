import { maybe, need } from '../facts/fact.js';
import type { Facts } from '../facts/facts.js';
import type { FileIssue } from '../facts/project-facts.js';
import { failEach, type Occurrence, type SystemRule } from './check.js';
import { advise } from './fix.js';

/** Findings of deployment files that belong to one check. */
export function fileOccurrences(facts: Facts, issue: FileIssue): Occurrence[] {
  return (maybe(facts.project.deployment) ?? [])
    .filter((one) => one.issue === issue)
    .map(({ about, at, detail, remedy }) => ({ about, at, evidence: detail, fix: [advise(remedy)] }));
}

/** A rule that judges what deployment files say; unknown where none was given. */
export const inFiles =
  (issue: FileIssue, otherwise: string): SystemRule =>
  (facts) => {
    need(facts.project.deployment);
    return failEach(fileOccurrences(facts, issue), otherwise);
  };
