import type { Check } from '../check.js';
import { net002 } from './net-002.js';
import { net003 } from './net-003.js';
import { net005 } from './net-005.js';

export const network: readonly Check[] = [net002, net003, net005];
