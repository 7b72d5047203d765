import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { findEngine, type Server } from '@redkeep/testing';
import { ExitCode } from '../../exit-codes.js';
import type { AuditResult } from '../verdict/result.js';
import { auditSandbox } from './audit-cli.js';
import { openServer, passwordOnlyServer, passwords, startHardened } from './hardened.js';

/** What only the machine decides, who runs the tests included, is left out as a user would: by waivers. */
const machine = [
  'HOST-001',
  'HOST-006',
  'HOST-007',
  'HOST-008',
  'HOST-009',
  'VER-001',
  'VER-002',
  'VER-003',
  'VER-004',
];

function waivers(): string {
  const entry = { owner: 'tests', reason: 'the machine of the tests decides it', expires: '2099-01-01' };
  return JSON.stringify(machine.map((check) => ({ check, ...entry })));
}

async function gradeOf(server: Server, user?: 'auditor'): Promise<AuditResult & { code: ExitCode }> {
  await using cli = await auditSandbox(server, user);
  await writeFile(cli.sandbox.path('waivers.json'), waivers());
  await writeFile(cli.sandbox.path('default-password'), passwords.admin);
  const access = user ? cli.access : ['--password-file', 'default-password'];
  const { code, out } = await cli.sandbox.run(['audit', server.url, ...access, '--waivers', 'waivers.json', '--json']);
  return { ...(JSON.parse(out) as AuditResult), code };
}

describe('grades of real servers', () => {
  test('an open one: F, because strangers are served', async () => {
    await using server = await openServer(findEngine());
    const result = await gradeOf(server);
    assert.equal(result.grade, 'F');
    assert.ok(result.caps.some(({ to, reason }) => to === 'F' && reason.includes('unauthenticated')));
    assert.equal(result.code, ExitCode.Findings);
  });

  test('a half-secured one, with a password on all interfaces: D', async () => {
    await using server = await passwordOnlyServer(findEngine());
    const result = await gradeOf(server);
    assert.equal(result.grade, 'D');
    assert.ok(result.caps.some(({ to, reason }) => to === 'C' && reason.includes('on their way')));
    assert.equal(result.code, ExitCode.Findings);
  });

  test('a hardened one: A, every critical check made', async () => {
    await using server = await startHardened(findEngine());
    const result = await gradeOf(server, 'auditor');
    assert.equal(result.grade, 'A', JSON.stringify(result.caps.concat(result.lines as never)));
    assert.equal(result.code, ExitCode.Ok);
    assert.ok(result.checks.every(({ status, severity }) => status !== 'unknown' || severity !== 'critical'));
  });
});
