import type { Check } from '../check.js';
import { ver001 } from './ver-001.js';
import { ver002 } from './ver-002.js';

export const software: readonly Check[] = [ver001, ver002];
