import { cacheScenarios } from './cache.js';
import type { Scenario } from './explore.js';
import { limitScenarios } from './limits.js';
import { lockScenarios } from './locks.js';
import { sessionScenarios } from './sessions.js';

/** By component; with `triples`, three operations meet, too. */
export const scenarios: Readonly<Record<string, (triples: boolean) => readonly Scenario[]>> = {
  sessions: sessionScenarios,
  limits: limitScenarios,
  locks: lockScenarios,
  cache: cacheScenarios,
};
