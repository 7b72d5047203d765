import type { Check } from '../check.js';
import { tls001 } from './tls-001.js';
import { tls002 } from './tls-002.js';
import { tls003 } from './tls-003.js';
import { tls004 } from './tls-004.js';
import { tls005 } from './tls-005.js';
import { tls006 } from './tls-006.js';
import { tls007 } from './tls-007.js';
import { tls008 } from './tls-008.js';
import { tls009 } from './tls-009.js';
import { tls010 } from './tls-010.js';
import { tls011 } from './tls-011.js';
import { tls012 } from './tls-012.js';
import { tls013 } from './tls-013.js';
import { tls014 } from './tls-014.js';
import { tls015 } from './tls-015.js';
import { tls016 } from './tls-016.js';
import { tls017 } from './tls-017.js';
import { tls018 } from './tls-018.js';
import { tls019 } from './tls-019.js';
import { tls020 } from './tls-020.js';
import { tls021 } from './tls-021.js';
import { tls022 } from './tls-022.js';

export const transport: readonly Check[] = [
  tls001,
  tls002,
  tls003,
  tls004,
  tls005,
  tls006,
  tls007,
  tls008,
  tls009,
  tls010,
  tls011,
  tls012,
  tls013,
  tls014,
  tls015,
  tls016,
  tls017,
  tls018,
  tls019,
  tls020,
  tls021,
  tls022,
];
