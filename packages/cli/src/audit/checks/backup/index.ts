import type { Check } from '../check.js';
import { bkp001 } from './bkp-001.js';
import { bkp002 } from './bkp-002.js';
import { bkp003 } from './bkp-003.js';
import { bkp004 } from './bkp-004.js';
import { bkp005 } from './bkp-005.js';
import { bkp006 } from './bkp-006.js';
import { bkp007 } from './bkp-007.js';
import { bkp008 } from './bkp-008.js';
import { bkp009 } from './bkp-009.js';
import { bkp010 } from './bkp-010.js';

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
