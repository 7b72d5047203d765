import type { Check } from '../check.js';
import { ctr001 } from './ctr-001.js';
import { ctr002 } from './ctr-002.js';
import { ctr003 } from './ctr-003.js';
import { ctr004 } from './ctr-004.js';
import { ctr005 } from './ctr-005.js';
import { ctr006 } from './ctr-006.js';
import { ctr007 } from './ctr-007.js';
import { ctr008 } from './ctr-008.js';
import { ctr009 } from './ctr-009.js';
import { ctr010 } from './ctr-010.js';

export const container: readonly Check[] = [
  ctr001,
  ctr002,
  ctr003,
  ctr004,
  ctr005,
  ctr006,
  ctr007,
  ctr008,
  ctr009,
  ctr010,
];
