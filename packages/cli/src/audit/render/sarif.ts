import { isAbsolute, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { addressOf } from '../checks/page.js';
import { areaOf } from '../verdict/evaluate.js';
import type { AuditResult, CheckResult, OccurrenceResult } from '../verdict/result.js';

const levels = { critical: 'error', high: 'error', medium: 'warning', low: 'note', info: 'note' } as const;

function rule(check: CheckResult): object {
  return {
    id: check.id,
    name: `${areaOf(check)}${check.id.split('-')[1]}`,
    shortDescription: { text: check.title },
    fullDescription: { text: check.why },
    helpUri: addressOf(check),
    help: { text: `${check.why} Expected: ${check.passes}.` },
    defaultConfiguration: { level: levels[check.severity] },
    properties: {
      'security-severity': (check.cvss?.score ?? 0).toFixed(1),
      tags: [
        'security',
        check.area,
        ...check.sources
          .filter((source) => source.startsWith('CWE-'))
          .map((cwe) => `external/cwe/${cwe.toLowerCase()}`),
      ],
    },
  };
}

/** A file below the root is named from there, as code scanning wants it; one elsewhere by its whole address. */
function artifact(file: string, root: string): object {
  const path = relative(root, resolve(root, file));
  return path.startsWith('..') || isAbsolute(path)
    ? { uri: pathToFileURL(resolve(root, file)).href }
    : { uri: encodeURI(path.replaceAll('\\', '/')), uriBaseId: '%SRCROOT%' };
}

/** The file where there is one; what a running server showed has a logical place only, never an invented file. */
function location(occurrence: OccurrenceResult, root: string): object {
  const { at, subject } = occurrence;
  return {
    ...(at && {
      physicalLocation: { artifactLocation: artifact(at.file, root), region: { startLine: at.line } },
    }),
    logicalLocations: [{ name: subject, kind: at ? 'resource' : 'server' }],
  };
}

/** SARIF 2.1.0, as GitHub code scanning takes it: stable rule ids, security-severity, fingerprints. */
export function renderSarif(result: AuditResult, root: string): string {
  const rules = result.checks.map(({ id }) => id);
  const results = result.findings.flatMap((finding) =>
    finding.occurrences.map((occurrence) => ({
      ruleId: finding.id,
      ruleIndex: rules.indexOf(finding.id),
      level: levels[finding.severity],
      message: { text: `${finding.title}. ${occurrence.subject}: ${occurrence.evidence}` },
      locations: [location(occurrence, root)],
      partialFingerprints: { 'redkeepFinding/v1': occurrence.fingerprint },
    })),
  );
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'redkeep',
            semanticVersion: result.tool.version,
            rules: result.checks.map(rule),
          },
        },
        automationDetails: { id: `redkeep-audit/${result.profile}/` },
        results,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}
