import type { Check } from '../check.js';
import { log001 } from './log-001.js';
import { log002 } from './log-002.js';
import { log003 } from './log-003.js';
import { log004 } from './log-004.js';
import { log005 } from './log-005.js';
import { log006 } from './log-006.js';
import { log007 } from './log-007.js';
import { log008 } from './log-008.js';
import { log009 } from './log-009.js';
import { log010 } from './log-010.js';

export const logging: readonly Check[] = [
  log001,
  log002,
  log003,
  log004,
  log005,
  log006,
  log007,
  log008,
  log009,
  log010,
];
