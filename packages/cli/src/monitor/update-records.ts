import type { Records } from '../audit/gather/records.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { replaceFile } from '../files/replace-file.js';
import { readRecords, recordsFile } from './deployment-states.js';

/** Notes what was done, in the records that the audit and the monitor read. */
export async function updateRecords(
  loaded: Pick<LoadedDeployment, 'locate'>,
  change: (records: Records) => Records,
): Promise<void> {
  const records = change(await readRecords(loaded));
  await replaceFile(loaded.locate(recordsFile), `${JSON.stringify(records, null, 2)}\n`);
}
