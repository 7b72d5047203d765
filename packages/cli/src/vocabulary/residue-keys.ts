/** Keys that known attacks leave behind (miners that write crontabs through RDB files). */
export const residueKeys = [
  'crackit',
  'crackit_1',
  'backup1',
  'backup2',
  'backup3',
  'backup4',
  'trojan1',
  'trojan2',
] as const;
