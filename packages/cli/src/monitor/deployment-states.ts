import { readFile, stat } from 'node:fs/promises';
import { type Records, recordsSchema } from '../audit/gather/records.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { readIfPresent } from '../files/read-if-present.js';

/** The file in a deployment's folder in which commands and timers say what they did; the audit reads the same form. */
export const recordsFile = 'records.json';

const grades = ['A', 'B', 'C', 'D', 'F'];
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

export interface SecretAge {
  readonly user: string;
  readonly ageSeconds: number;
  readonly overdue: boolean;
}

/** What files say about a deployment, for its metrics. What is not recorded is absent. */
export interface DeploymentState {
  readonly secrets: readonly SecretAge[];
  readonly backupAgeSeconds: number | undefined;
  readonly restoreTestAgeSeconds: number | undefined;
  /** 0 for A to 4 for F. */
  readonly auditGrade: number | undefined;
  readonly states: Readonly<Record<string, number>>;
}

/** Reads ages from the folder: of passwords by their rotation or file, of backups and their proof by the records. */
export async function deploymentState(
  loaded: LoadedDeployment,
  now: number,
  auditReport?: string,
): Promise<DeploymentState> {
  const { users, policy } = loaded.deployment;
  const records = await readRecords(loaded);
  const secrets = await Promise.all(
    users.map(async (user) => {
      const recorded = records.rotations?.[user.name];
      const file = await stat(loaded.locate(user.passwordFile)).catch(() => undefined);
      const since = recorded === undefined ? file?.mtimeMs : Date.parse(recorded);
      if (since === undefined) return undefined;
      return { user: user.name, ageSeconds: (now - since) / 1000, overdue: now - since > policy.passwordDays * dayMs };
    }),
  );
  const known = secrets.filter((secret) => secret !== undefined);
  const newest = newestOf(records.backups?.map(({ takenAt }) => takenAt));
  const auditGrade = await gradeOf(auditReport);
  return {
    secrets: known,
    backupAgeSeconds: newest && (now - newest) / 1000,
    restoreTestAgeSeconds:
      records.restoreTest === undefined ? undefined : (now - Date.parse(records.restoreTest)) / 1000,
    auditGrade,
    states: {
      secret_overdue: known.filter(({ overdue }) => overdue).length,
      // Twice the interval: one missed run is reported, a run that is under way is not.
      ...(newest !== undefined && { backup_overdue: Number(now - newest > policy.backupHours * 2 * hourMs) }),
      ...(auditGrade !== undefined && { audit_grade: auditGrade }),
    },
  };
}

export async function readRecords(loaded: Pick<LoadedDeployment, 'locate'>): Promise<Records> {
  const text = await readIfPresent(loaded.locate(recordsFile));
  try {
    return text === undefined ? {} : recordsSchema.parse(JSON.parse(text));
  } catch {
    // Damaged records are ignored: nothing is known to have been done.
    return {};
  }
}

function newestOf(instants: readonly string[] | undefined): number | undefined {
  const times = (instants ?? []).map((instant) => Date.parse(instant));
  return times.length === 0 ? undefined : Math.max(...times);
}

async function gradeOf(report: string | undefined): Promise<number | undefined> {
  if (report === undefined) return undefined;
  try {
    const { grade } = JSON.parse(await readFile(report, 'utf8')) as { grade?: unknown };
    const index = typeof grade === 'string' ? grades.indexOf(grade) : -1;
    return index < 0 ? undefined : index;
  } catch {
    return undefined;
  }
}
