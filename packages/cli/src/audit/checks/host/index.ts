import type { Check } from '../check.js';
import { host001 } from './host-001.js';
import { host002 } from './host-002.js';
import { host003 } from './host-003.js';
import { host004 } from './host-004.js';
import { host005 } from './host-005.js';
import { host006 } from './host-006.js';
import { host007 } from './host-007.js';
import { host008 } from './host-008.js';
import { host009 } from './host-009.js';
import { host010 } from './host-010.js';

export const host: readonly Check[] = [
  host001,
  host002,
  host003,
  host004,
  host005,
  host006,
  host007,
  host008,
  host009,
  host010,
];
