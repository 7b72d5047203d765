import type { Check } from '../check.js';
import { auth001 } from './auth-001.js';
import { auth002 } from './auth-002.js';
import { auth003 } from './auth-003.js';
import { auth004 } from './auth-004.js';
import { auth005 } from './auth-005.js';
import { auth006 } from './auth-006.js';
import { auth007 } from './auth-007.js';
import { auth008 } from './auth-008.js';
import { auth009 } from './auth-009.js';
import { auth010 } from './auth-010.js';
import { auth011 } from './auth-011.js';
import { auth012 } from './auth-012.js';
import { auth013 } from './auth-013.js';
import { auth014 } from './auth-014.js';
import { auth015 } from './auth-015.js';
import { auth016 } from './auth-016.js';
import { auth017 } from './auth-017.js';
import { auth018 } from './auth-018.js';

export const authentication: readonly Check[] = [
  auth001,
  auth002,
  auth003,
  auth004,
  auth005,
  auth006,
  auth007,
  auth008,
  auth009,
  auth010,
  auth011,
  auth012,
  auth013,
  auth014,
  auth015,
  auth016,
  auth017,
  auth018,
];
