import type { Check } from '../check.js';
import { cfg011 } from './cfg-011.js';

export const configuration: readonly Check[] = [cfg011];
