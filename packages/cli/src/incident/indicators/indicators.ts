import { accessIndicators } from './access.js';
import { damageIndicators } from './damage.js';
import { hostIndicators } from './host.js';
import type { Indicator } from './indicator.js';
import { payloadIndicators } from './payload-indicators.js';
import { serverIndicators } from './server.js';

/** Every kind of trace that is looked for, in the order of reports. */
export const indicators: readonly Indicator[] = [
  ...payloadIndicators,
  ...serverIndicators,
  ...accessIndicators,
  ...hostIndicators,
  ...damageIndicators,
];
