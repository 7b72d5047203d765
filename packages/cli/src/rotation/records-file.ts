import { replaceFile } from '../apply/targets/local.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { readRecords, recordsFile } from '../monitor/deployment-states.js';

/** Notes when users' passwords were rotated, in the records that the audit and the monitor read. */
export async function recordRotations(loaded: LoadedDeployment, users: readonly string[], at: Date): Promise<void> {
  const records = await readRecords(loaded);
  const rotations = { ...records.rotations, ...Object.fromEntries(users.map((user) => [user, at.toISOString()])) };
  await replaceFile(loaded.locate(recordsFile), `${JSON.stringify({ ...records, rotations }, null, 2)}\n`);
}
