import type { Check } from '../check.js';
import { tls001 } from './tls-001.js';
import { tls002 } from './tls-002.js';
import { tls003 } from './tls-003.js';
import { tls008 } from './tls-008.js';
import { tls009 } from './tls-009.js';
import { tls010 } from './tls-010.js';
import { tls015 } from './tls-015.js';

export const transport: readonly Check[] = [tls001, tls002, tls003, tls008, tls009, tls010, tls015];
