import { residueKeys } from '../../vocabulary/residue-keys.js';

/** Names of keys that known attacks leave behind: those of the audit, and spellings of other families. */
export const attackKeys: readonly string[] = [
  ...residueKeys,
  ...['Backup1', 'Backup2', 'Backup3', 'Backup4', 'weaponx', 'hack', 'qwe'],
];
