import type { Check } from '../check.js';
import { bkp001 } from './bkp-001-persistence.js';
import { bkp002 } from './bkp-002-last-save.js';
import { bkp003 } from './bkp-003-recent-backup.js';
import { bkp004 } from './bkp-004-backup-encryption.js';
import { bkp005 } from './bkp-005-restore-test.js';
import { bkp006 } from './bkp-006-aof-timestamps.js';
import { bkp007 } from './bkp-007-failed-saves.js';
import { bkp008 } from './bkp-008-missing-expiry.js';
import { bkp009 } from './bkp-009-replica-count.js';
import { bkp010 } from './bkp-010-sentinel-quorum.js';

export const backup: readonly Check[] = [
  bkp001,
  bkp002,
  bkp003,
  bkp004,
  bkp005,
  bkp006,
  bkp007,
  bkp008,
  bkp009,
  bkp010,
];
