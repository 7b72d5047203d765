import type { Check } from '../check.js';
import { host003 } from './host-003.js';
import { host004 } from './host-004.js';
import { host005 } from './host-005.js';

export const host: readonly Check[] = [host003, host004, host005];
