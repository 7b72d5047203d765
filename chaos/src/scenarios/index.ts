import type { Scenario } from '../run.js';
import { CLUSTER } from './cluster.js';
import { SENTINEL } from './sentinel.js';
import { STANDALONE } from './standalone.js';

export const SCENARIOS: readonly Scenario[] = [...STANDALONE, ...SENTINEL, ...CLUSTER];
