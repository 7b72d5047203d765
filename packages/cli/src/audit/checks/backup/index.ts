import type { Check } from '../check.js';
import { bkp001 } from './bkp-001.js';

export const backup: readonly Check[] = [bkp001];
