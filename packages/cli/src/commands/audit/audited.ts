import type { Facts } from '../../audit/facts/facts.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import type { Target } from './target.js';

/** An audit that ran: what was judged, how, and what it was pointed at. */
export interface Audited {
  readonly result: AuditResult;
  readonly facts: Facts;
  readonly target: Target;
}
