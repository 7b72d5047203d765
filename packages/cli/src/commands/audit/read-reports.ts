import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { AuditResult } from '../../audit/verdict/result.js';
import { auditResultSchema, waiversSchema } from '../../audit/verdict/schema.js';
import type { Waiver } from '../../audit/verdict/waivers.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';

async function readAs<T>(context: Context, file: string, what: string, schema: z.ZodType<T>): Promise<T> {
  const resolved = path.resolve(context.cwd, file);
  const unusable = (reason: string): CliError =>
    new CliError('REDKEEP_USAGE', `${resolved} is no ${what}: ${reason}.`, 'Check the file and run it again.');
  let content: unknown;
  try {
    // JSON is YAML too: one reader for both.
    content = parseYaml(await readFile(resolved, 'utf8'));
  } catch (error) {
    throw unusable(error instanceof Error ? error.message.split('\n')[0]! : 'unreadable');
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unusable(`${issue?.path.join('.') || 'content'}: ${issue?.message ?? 'invalid'}`);
}

/** A report of an earlier audit (`report.json`). */
export async function readReport(context: Context, file: string): Promise<AuditResult> {
  return (await readAs(context, file, 'audit report', auditResultSchema)) as unknown as AuditResult;
}

/** Accepted risks, JSON or YAML: check, owner, reason, expires, and subject where not all are meant. */
export function readWaivers(context: Context, file: string): Promise<Waiver[]> {
  return readAs(context, file, 'list of waivers', waiversSchema);
}
