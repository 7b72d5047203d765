import { need } from '../facts/fact.js';
import type { FileIssue, SourceIssue } from '../facts/project-facts.js';
import { failEach, type SystemRule, unknown } from './check.js';
import { fileOccurrences } from './files.js';
import { advise } from './fix.js';

/**
 * A rule that judges what the source scan found, and `inFiles` what deployment files show of the same issue. Files that
 * could not be parsed are never counted as clean.
 */
export const inSource =
  (issues: readonly SourceIssue[], remedy: string, inFiles?: FileIssue): SystemRule =>
  (facts) => {
    const fromFiles = inFiles === undefined ? [] : fileOccurrences(facts, inFiles);
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
  };
