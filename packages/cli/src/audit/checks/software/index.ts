import type { Check } from '../check.js';
import { ver001 } from './ver-001.js';
import { ver002 } from './ver-002.js';
import { ver003 } from './ver-003.js';
import { ver004 } from './ver-004.js';
import { ver005 } from './ver-005.js';

export const software: readonly Check[] = [ver001, ver002, ver003, ver004, ver005];
