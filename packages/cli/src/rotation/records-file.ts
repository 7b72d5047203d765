import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { updateRecords } from '../monitor/update-records.js';

/** Notes when a ring got a new key. */
export async function recordKeyRotation(loaded: LoadedDeployment, ring: string, at: Date): Promise<void> {
  await updateRecords(loaded, (records) => ({
    ...records,
    keyRotations: { ...records.keyRotations, [ring]: at.toISOString() },
  }));
}

/** Notes when users' passwords were rotated, in the records that the audit and the monitor read. */
export async function recordRotations(loaded: LoadedDeployment, users: readonly string[], at: Date): Promise<void> {
  const now = Object.fromEntries(users.map((user) => [user, at.toISOString()]));
  await updateRecords(loaded, (records) => ({ ...records, rotations: { ...records.rotations, ...now } }));
}
