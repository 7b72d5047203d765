import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CheckId } from '../checks/check.js';
import { gather } from '../gather/gather.js';
import { filesOfFolder } from '../gather/project-files.js';
import type { GatherRequest } from '../gather/request.js';
import { openSession } from '../gather/session.js';
import { judge } from '../verdict/judge.js';
import type { AuditResult } from '../verdict/result.js';
import { expectations } from './hardened.js';

/** A folder with these files while it is used. */
export async function withFolder<T>(
  files: Readonly<Record<string, string | Buffer>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'redkeep-files-'));
  try {
    for (const [name, content] of Object.entries(files)) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), content);
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Audits files without any server. */
export async function auditWithoutServer(
  target: string,
  files: Pick<GatherRequest, 'project' | 'folders' | 'operations'>,
): Promise<AuditResult> {
  const { facts } = await gather({
    endpoints: [],
    expectations,
    openSession,
    now: new Date(),
    sampleKeys: 0,
    ...files,
  });
  return judge(facts, { target, version: 'test', durationMs: 0 });
}

/** Audits a folder as `redkeep audit FOLDER` does; the folder's own path is taken out of the result. */
export async function auditFolder(folder: string): Promise<AuditResult> {
  const result = await auditWithoutServer(folder, { project: await filesOfFolder(folder) });
  return JSON.parse(JSON.stringify(result).replaceAll(`${folder}/`, '').replaceAll(folder, '.')) as AuditResult;
}

export function auditFiles(files: Readonly<Record<string, string | Buffer>>): Promise<AuditResult> {
  return withFolder(files, auditFolder);
}

/** Where the findings of a check point to, as `file:line`. */
export function placesOf(result: AuditResult, id: CheckId): string[] {
  return result.findings
    .filter((one) => one.id === id)
    .flatMap(({ occurrences }) => occurrences.map(({ at }) => (at ? `${at.file}:${at.line}` : 'no place')));
}
