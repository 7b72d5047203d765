import type { Check } from '../check.js';
import { auth001 } from './auth-001.js';
import { auth002 } from './auth-002.js';
import { auth003 } from './auth-003.js';
import { auth004 } from './auth-004.js';
import { auth013 } from './auth-013.js';

export const authentication: readonly Check[] = [auth001, auth002, auth003, auth004, auth013];
