import { need } from '../facts/fact.js';
import type { Facts } from '../facts/facts.js';
import type { SourceIssue } from '../facts/project-facts.js';
import { failEach, type Occurrence, unknown, type Verdict } from './check.js';
import { advise } from './fix.js';

/** Findings of the source scan that belong to one check. Files that could not be parsed are never counted as clean. */
export function inSource(
  facts: Facts,
  issues: readonly SourceIssue[],
  remedy: string,
  fromFiles: readonly Occurrence[] = [],
): Verdict {
  if (fromFiles.length > 0 && !facts.project.source.observed) return failEach(fromFiles, '');
  const source = need(facts.project.source);
  const found = source.findings.filter((one) => issues.includes(one.issue));
  if (found.length + fromFiles.length === 0 && source.unparsed.length > 0) {
    return unknown(`${source.unparsed.length} files could not be parsed: ${source.unparsed.slice(0, 3).join(', ')}`);
  }
  return failEach(
    [
      ...found.map((one) => ({ about: one.detail, evidence: one.detail, fix: [advise(remedy)], at: one.at })),
      ...fromFiles,
    ],
    `${source.files} files, ${source.clients.length} clients`,
  );
}
