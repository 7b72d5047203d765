import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { unobserved } from '../facts/fact.js';
import type { Facts } from '../facts/facts.js';
import { loadCveData } from '../gather/cve-data.js';
import { expectations } from '../testing/hardened.js';
import { cvssScore } from '../verdict/cvss.js';
import { judge } from '../verdict/judge.js';
import { auditResultSchema, reportJsonSchema } from '../verdict/schema.js';
import { renderCsv } from './csv.js';
import { renderHtml } from './html.js';
import { renderJunit } from './junit.js';
import { renderMarkdown } from './markdown.js';
import { renderSarif } from './sarif.js';

const hostile = '<script>alert(1)</script>';

async function result() {
  const none = unobserved('not given');
  const facts: Facts = {
    observedAt: '2026-01-02T03:04:05.000Z',
    expectations,
    nodes: [],
    host: none,
    exposure: unobserved('test'),
    project: {
      unreadable: [],
      remarks: [],
      deployment: unobserved('no deployment file was given'),
      containers: none,
      units: none,
      libraries: none,
      source: {
        observed: true,
        from: 'test',
        value: {
          files: 1,
          unparsed: [],
          clients: [],
          commands: [],
          findings: [{ issue: 'credential', at: { file: 'src/a.ts', line: 7 }, detail: `=cmd ${hostile}` }],
        },
      },
    },
    operations: {
      rotations: none,
      keyRotations: none,
      backups: none,
      restoreTest: none,
      monitoring: none,
      commandsUsed: none,
      dormant: none,
    },
    cves: await loadCveData(),
  };
  return judge(facts, { target: `${hostile}`, version: '1.2.3', durationMs: 1 });
}

describe('the renderings', () => {
  test('JSON has the published form', async () => {
    const report = await result();
    assert.deepEqual(auditResultSchema.parse(JSON.parse(JSON.stringify(report))).grade, report.grade);
    const published = await readFile(new URL('../../../schema/audit-report-1.json', import.meta.url), 'utf8');
    assert.deepEqual(JSON.parse(published), JSON.parse(JSON.stringify(reportJsonSchema())));
  });

  test('HTML runs nothing that a server or a file said', async () => {
    const html = renderHtml(await result());
    assert.doesNotMatch(html, /<script>alert/);
    assert.doesNotMatch(html, /(src|href)="https?:/);
  });

  test('SARIF points to the line, with stable rules, a severity and the page of each check', async () => {
    const run = JSON.parse(renderSarif(await result(), '/')).runs[0];
    const [finding] = run.results;
    for (const { id, helpUri } of run.tool.driver.rules) {
      const [, page] = helpUri.split('/redkeep/blob/main/');
      const text = await readFile(new URL(`../../../../../${page}`, import.meta.url), 'utf8');
      assert.ok(text.startsWith(`# ${id}: `), helpUri);
    }
    assert.equal(run.tool.driver.rules[finding.ruleIndex].id, 'CLI-006');
    assert.equal(run.tool.driver.rules[finding.ruleIndex].properties['security-severity'], '7.5');
    assert.equal(finding.locations[0].physicalLocation.artifactLocation.uri, 'src/a.ts');
    assert.equal(finding.locations[0].physicalLocation.region.startLine, 7);
  });

  test('JUnit counts what could not be looked at as skipped', async () => {
    const report = await result();
    const xml = renderJunit(report);
    assert.equal(xml.match(/<failure /g)?.length, report.findings.length);
    assert.equal(xml.match(/<skipped /g)?.length, report.coverage.unknown + report.coverage.notApplicable);
    assert.doesNotMatch(xml, /<script>/);
  });

  test('CSV and Markdown neutralize formulas and name the finding', async () => {
    const report = await result();
    assert.match(renderCsv(report), /"'=cmd /);
    assert.match(renderMarkdown(report), /### CLI-006/);
  });
});

describe('an audit that saw nothing', () => {
  test('does not pass: critical checks that could not be made hold the grade', async () => {
    const report = await result();
    assert.ok(report.caps.some((cap) => cap.to === 'B' && cap.reason.includes('has no result')));
    assert.notEqual(report.grade, 'A');
  });
});

describe('CVSS 3.1', () => {
  const examples: readonly [string, number][] = [
    ['AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 9.8],
    ['CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H', 9.3],
    ['AV:N/AC:L/PR:L/UI:N/S:C/C:H/I:N/A:N', 7.7],
    ['AV:N/AC:H/PR:L/UI:N/S:U/C:L/I:N/A:N', 3.1],
    ['AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N', 0],
  ];
  for (const [vector, score] of examples) test(`${vector} is ${score}`, () => assert.equal(cvssScore(vector), score));
});
