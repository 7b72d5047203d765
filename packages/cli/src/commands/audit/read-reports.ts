import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Document, isSeq, parseDocument, parse as parseYaml } from 'yaml';
import type { z } from 'zod';
import type { CveData } from '../../audit/facts/cves.js';
import type { OperationFacts } from '../../audit/facts/facts.js';
import { cveDataSchema } from '../../audit/gather/cve-data.js';
import { operationsOf, recordsSchema } from '../../audit/gather/records.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import { auditResultSchema, waiversSchema } from '../../audit/verdict/schema.js';
import type { Waiver } from '../../audit/verdict/waivers.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import type { RoleName } from '../../vocabulary/names.js';

/** Newer CVE data than this version brings (`--cve-data`). */
export function readCveData(context: Context, file: string): Promise<CveData> {
  return readAs(context, file, 'CVE data', cveDataSchema) as Promise<CveData>;
}

/** What people and timers did (`--records`). */
export async function readOperations(context: Context, file: string): Promise<OperationFacts> {
  return operationsOf(await readAs(context, file, 'a file of records', recordsSchema), file);
}

async function readAs<T>(context: Context, file: string, what: string, schema: z.ZodType<T>): Promise<T> {
  const resolved = path.resolve(context.cwd, file);
  const unusable = (reason: string): CliError =>
    new CliError('REDKEEP_USAGE', `${resolved} is not ${what}: ${reason}.`, 'Check the file and run it again.');
  let content: unknown;
  try {
    // JSON is YAML too: one reader for both. "core" leaves dates as text, as JSON does.
    content = parseYaml(await readFile(resolved, 'utf8'), { schema: 'core' });
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
  return (await readAs(context, file, 'an audit report', auditResultSchema)) as unknown as AuditResult;
}

export interface Accepted {
  readonly waivers: readonly Waiver[];
  /** What users are for, as an operator declared it. */
  readonly roles: Readonly<Record<string, RoleName>>;
}

/** Accepted risks and declared roles, JSON or YAML: a list of waivers, or `{ roles, waivers }`. */
export function readWaivers(context: Context, file: string): Promise<Accepted> {
  return readAs(context, file, 'a list of waivers', waiversSchema);
}

/** Keeps declared roles in the file of waivers, where the next audit finds them. Says whether it changed anything. */
export async function rememberRoles(
  context: Context,
  file: string,
  roles: Readonly<Record<string, RoleName>>,
): Promise<boolean> {
  const resolved = path.resolve(context.cwd, file);
  const document = parseDocument(await readFile(resolved, 'utf8'), { schema: 'core' });
  const known = await readWaivers(context, file);
  const fresh = Object.entries(roles).filter(([user, role]) => known.roles[user] !== role);
  if (fresh.length === 0) return false;
  // A list becomes a map with the list in it; comments within the list stay.
  const whole = isSeq(document.contents) ? new Document({ waivers: document.contents }) : document;
  for (const [user, role] of fresh) whole.setIn(['roles', user], role);
  const isJson = /^\s*[[{]/.test(await readFile(resolved, 'utf8'));
  await writeFile(resolved, isJson ? `${JSON.stringify(whole.toJS(), null, 2)}\n` : String(whole));
  return true;
}
