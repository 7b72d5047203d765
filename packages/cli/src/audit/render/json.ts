import type { AuditResult } from '../verdict/result.js';

/** The result itself; its schema is published as `schema/audit-report-1.json`. */
export function renderJson(result: AuditResult): string {
  return `${JSON.stringify(result, null, 2)}\n`;
}
