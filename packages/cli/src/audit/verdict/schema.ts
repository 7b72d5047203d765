import { z } from 'zod';
import { roleNames } from '../../vocabulary/names.js';

const status = z.enum(['pass', 'fail', 'unknown', 'not-applicable']);
const severity = z.enum(['info', 'low', 'medium', 'high', 'critical']);
const grade = z.enum(['A', 'B', 'C', 'D', 'F']);
const count = z.int().min(0);

const occurrence = z.object({
  subject: z.string(),
  evidence: z.string(),
  fix: z.array(z.object({ command: z.string(), rollback: z.string().optional(), automatic: z.boolean() })),
  at: z.object({ file: z.string(), line: z.int().min(1) }).optional(),
  fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
});

const check = z.object({
  id: z.string().regex(/^[A-Z]+-\d{3}$/),
  title: z.string(),
  area: z.string(),
  status,
  severity,
  cvss: z.object({ score: z.number().min(0).max(10), vector: z.string() }).nullable(),
  why: z.string(),
  passes: z.string(),
  effort: z.enum(['minutes', 'hours', 'days']),
  sources: z.array(z.string()),
  maps: z.record(z.string(), z.array(z.string())),
  occurrences: z.array(occurrence),
  remarks: z.array(z.object({ subject: z.string(), text: z.string() })),
  fingerprint: z.string(),
});

const counts = { observed: count, notApplicable: count, unknown: count };

/** The report's form. `schema/audit-report-1.json` is made from it, and reports that are read back are checked by it. */
export const auditResultSchema = z.object({
  schema: z.literal('urn:redkeep:schema:audit-report-1'),
  tool: z.object({ name: z.literal('redkeep'), version: z.string() }),
  observedAt: z.iso.datetime(),
  durationMs: z.number(),
  target: z.string(),
  profile: z.enum(['development', 'production', 'regulated']),
  grade: grade.nullable(),
  ungraded: z.string().optional(),
  score: z.number().min(0).max(100).nullable(),
  lines: z.array(
    z.object({
      area: z.string(),
      points: z.number(),
      limit: z.number(),
      deductions: z.array(z.object({ id: z.string(), points: z.number(), title: z.string() })),
    }),
  ),
  caps: z.array(z.object({ to: grade, reason: z.string(), checks: z.array(z.string()) })),
  coverage: z.object({ ...counts, total: count, byArea: z.record(z.string(), z.object(counts)) }),
  risk: z.record(z.string(), z.object({ now: z.number(), afterFixes: z.number(), unknown: count })),
  findings: z.array(check),
  waived: z.array(z.object({ finding: check, owner: z.string(), reason: z.string(), expires: z.string() })),
  recommendations: z.array(
    z.object({
      priority: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)]),
      check: z.string(),
      title: z.string(),
      effort: z.enum(['minutes', 'hours', 'days']),
      first: z.string(),
    }),
  ),
  checks: z.array(check),
  nodes: z.array(
    z.object({
      address: z.string(),
      engine: z.string(),
      version: z.string(),
      role: z.string(),
      reachable: z.boolean(),
      note: z.string().optional(),
    }),
  ),
  permissions: z.array(
    z.object({
      node: z.string(),
      user: z.string(),
      role: z.string(),
      enabled: z.boolean(),
      keys: z.array(z.string()),
      channels: z.array(z.string()),
      dangerous: z.array(z.string()),
      powers: z.array(z.string()),
      escalations: z.array(z.string()),
    }),
  ),
  compliance: z.array(
    z.object({
      standard: z.string(),
      title: z.string(),
      clauses: z.array(
        z.object({
          clause: z.string(),
          failed: z.array(z.string()),
          passed: z.array(z.string()),
          unknown: z.array(z.string()),
        }),
      ),
      manual: z.array(z.string()),
    }),
  ),
  notes: z.array(z.string()),
});

const waiverList = z.array(
  z.strictObject({
    check: z.string().regex(/^[A-Z]+-\d{3}$/),
    subject: z.string().optional(),
    owner: z.string().min(1),
    reason: z.string().min(10, 'say why the risk is accepted (10 characters or more)'),
    expires: z.iso.date(),
  }),
);

/** A file of waivers: the list alone, or with the roles that operators declared for users. */
export const waiversSchema = z.preprocess(
  (content) => (Array.isArray(content) ? { waivers: content } : content),
  z.strictObject({
    roles: z.record(z.string(), z.enum(roleNames)).default({}),
    waivers: waiverList.default([]),
  }),
);

/** JSON Schema (2020-12) of the report, for those who read it with other tools. */
export function reportJsonSchema(): object {
  return {
    $id: 'urn:redkeep:schema:audit-report-1',
    title: 'redkeep audit report',
    ...z.toJSONSchema(auditResultSchema),
  };
}
