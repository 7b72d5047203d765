import { auditScenarios } from './audit.js';
import { cacheScenarios } from './cache.js';
import type { Scenario } from './explore.js';
import { limitScenarios } from './limits.js';
import { lockScenarios } from './locks.js';
import { personScenarios } from './persons.js';
import { sessionScenarios } from './sessions.js';
import { onceScenarios, refreshScenarios, tokenScenarios } from './tokens.js';

/** By component; with `triples`, three operations meet, too. */
export const scenarios: Readonly<Record<string, (triples: boolean) => readonly Scenario[]>> = {
  sessions: sessionScenarios,
  limits: limitScenarios,
  locks: lockScenarios,
  cache: cacheScenarios,
  audit: auditScenarios,
  persons: personScenarios,
  tokens: tokenScenarios,
  refresh: refreshScenarios,
  once: onceScenarios,
};
