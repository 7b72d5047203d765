import type { Rule } from '../finding.js';
import { durabilityRules } from './durability.js';
import { requestRules } from './errors.js';
import { keyRules } from './keys.js';
import { memoryRules } from './memory.js';
import { serverTimeRules } from './server-time.js';

/** Everything that the doctor asks of the evidence. */
export const rules: readonly Rule[] = [
  ...requestRules,
  ...serverTimeRules,
  ...memoryRules,
  ...keyRules,
  ...durabilityRules,
];
