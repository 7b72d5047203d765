import { readFile, stat } from 'node:fs/promises';
import { type Records, recordsSchema } from '../audit/gather/records.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { readIfPresent } from '../files/read-if-present.js';
import { readStatuses, warningDays } from '../pki/certificate-status.js';
import { encryptionFileName, readEncryptionFile } from '../rotation/encryption-keys/encryption-file.js';

/** The file in a deployment's folder in which commands and timers say what they did; the audit reads the same form. */
export const recordsFile = 'records.json';

const grades = ['A', 'B', 'C', 'D', 'F'];
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** A key that leaks unnoticed opens what is sealed with it; a year is what standards usually ask. */
const encryptionKeyDays = 365;

export interface SecretAge {
  readonly kind: 'password' | 'certificate' | 'encryption-keys';
  /** Of the user, the certificate or the ring. */
  readonly name: string;
  readonly ageSeconds: number;
  /** Older than the profile allows; of a certificate, that it ends within a month. */
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

/**
 * Reads ages from the folder: of passwords and encryption keys by their rotation or file, of certificates by themselves, of backups and
 * their proof by the records.
 */
export async function deploymentState(
  loaded: LoadedDeployment,
  now: number,
  auditReport?: string,
): Promise<DeploymentState> {
  const { users, policy } = loaded.deployment;
  const records = await readRecords(loaded);
  const passwords = users.map(({ name, passwordFile }) =>
    ageOf('password', name, loaded.locate(passwordFile), {
      now,
      recorded: records.rotations?.[name],
      days: policy.passwordDays,
    }),
  );
  const keys = encryptionKeysAge(loaded, now).catch(() => undefined);
  // A folder without its certificates is judged by what reads them.
  const certificates = (await readStatuses(loaded, new Date(now)).catch(() => [])).map(
    ({ name, notBefore, daysLeft }): SecretAge => ({
      kind: 'certificate',
      name,
      ageSeconds: (now - notBefore.getTime()) / 1000,
      overdue: daysLeft < warningDays,
    }),
  );
  const files = (await Promise.all([...passwords, keys])).filter((age) => age !== undefined);
  const known: SecretAge[] = [...files, ...certificates];
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

/** The age of the ring that the file names (default: the one of the folder), by its last rotation or its key file. */
export async function encryptionKeysAge(
  loaded: LoadedDeployment,
  now: number,
  file = loaded.locate(encryptionFileName),
): Promise<SecretAge | undefined> {
  const { name, keyFile } = await readEncryptionFile(file);
  const { keyRotations } = await readRecords(loaded);
  return ageOf('encryption-keys', name, keyFile, { now, recorded: keyRotations?.[name], days: encryptionKeyDays });
}

async function ageOf(
  kind: SecretAge['kind'],
  name: string,
  file: string,
  { now, recorded, days }: { readonly now: number; readonly recorded: string | undefined; readonly days: number },
): Promise<SecretAge | undefined> {
  const since = recorded === undefined ? (await stat(file).catch(() => undefined))?.mtimeMs : Date.parse(recorded);
  if (since === undefined) return undefined;
  return { kind, name, ageSeconds: (now - since) / 1000, overdue: now - since > days * dayMs };
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
