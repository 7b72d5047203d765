import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findEngine, type Server } from '@redkeep/testing';
import Draft2020 from 'ajv/dist/2020.js';
import Draft04 from 'ajv-draft-04';
import formats from 'ajv-formats';
import { auditServer, startHardened } from '../testing/hardened.js';
import type { AuditResult } from '../verdict/result.js';
import { renderJson } from './json.js';
import { renderSarif } from './sarif.js';

const require = createRequire(import.meta.url);

interface SarifResult {
  readonly ruleId: string;
  readonly partialFingerprints: Readonly<Record<string, string>>;
  readonly locations: readonly SarifLocation[];
}

interface SarifLog {
  readonly runs: readonly {
    readonly results: readonly SarifResult[];
    readonly tool: { readonly driver: { readonly rules: readonly { properties: Record<string, string> }[] } };
  }[];
}

interface SarifLocation {
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: string };
    readonly region: { readonly startLine: number };
  };
}

describe('the report of a real server', () => {
  let server: Server;
  let result: AuditResult;
  before(async () => {
    server = await startHardened(findEngine(), {
      config: { timeout: '0', bind: '*' },
      users: (lines) => lines.map((line) => (line.startsWith('user app') ? `${line} +flushall` : line)),
    });
    result = await auditServer(server);
  });
  after(() => server[Symbol.asyncDispose]());

  test('is valid by the published JSON schema', async () => {
    const ajv = new Draft2020.default({ allErrors: true });
    formats.default(ajv);
    const schema = JSON.parse(await readFile(new URL('../../../schema/audit-report-1.json', import.meta.url), 'utf8'));
    const valid = ajv.validate(schema, JSON.parse(renderJson(result)));
    assert.ok(valid, JSON.stringify(ajv.errors));
    assert.equal(ajv.validate(schema, { ...result, grade: 'Z' }), false);
  });

  test("is valid SARIF 2.1.0 by OASIS's schema, and names places that exist", async () => {
    const ajv = new Draft04.default({ strict: false, allErrors: true, unicodeRegExp: false });
    formats.default(ajv);
    const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
    const log = JSON.parse(renderSarif(result, server.dir)) as SarifLog;
    const valid: boolean = ajv.validate(schema, log as unknown);
    assert.ok(valid, JSON.stringify(ajv.errors));
    assert.equal(ajv.validate(schema, { ...log, version: '1' }), false);

    const { results, tool } = log.runs[0]!;
    const place = results.find(({ ruleId }) => ruleId === 'CFG-012')!.locations[0]!.physicalLocation;
    assert.deepEqual(place.artifactLocation, { uri: 'redis.conf', uriBaseId: '%SRCROOT%' });
    const lines = (await readFile(join(server.dir, place.artifactLocation.uri), 'utf8')).split('\n');
    assert.equal(lines[place.region.startLine - 1], 'timeout 0');
    for (const rule of tool.driver.rules) assert.match(rule.properties['security-severity']!, /^(\d|10)\.\d$/);
    const printsOf = (some: readonly SarifResult[]): string[] =>
      some.flatMap(({ partialFingerprints }) => Object.values(partialFingerprints));
    const prints = printsOf(results);
    assert.equal(new Set(prints).size, prints.length);
    const again = JSON.parse(renderSarif(await auditServer(server), server.dir)) as SarifLog;
    assert.deepEqual(printsOf(again.runs[0]!.results), prints);
  });
});
