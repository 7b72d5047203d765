import type { Check } from '../check.js';
import { net001 } from './net-001.js';
import { net002 } from './net-002.js';
import { net003 } from './net-003.js';
import { net004 } from './net-004.js';
import { net005 } from './net-005.js';
import { net006 } from './net-006.js';
import { net007 } from './net-007.js';
import { net008 } from './net-008.js';
import { net009 } from './net-009.js';
import { net010 } from './net-010.js';
import { net011 } from './net-011.js';
import { net012 } from './net-012.js';
import { net013 } from './net-013.js';
import { net014 } from './net-014.js';
import { net015 } from './net-015.js';
import { net016 } from './net-016.js';

export const network: readonly Check[] = [
  net001,
  net002,
  net003,
  net004,
  net005,
  net006,
  net007,
  net008,
  net009,
  net010,
  net011,
  net012,
  net013,
  net014,
  net015,
  net016,
];
