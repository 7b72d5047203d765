/** Proof that a connection works now, in a form for load balancers and readiness probes. */

import { randomUUID } from 'node:crypto';
import { clearTimeout, performance, setTimeout } from '../clock.js';
import { Command, spec } from '../commands/command.js';
import type { Connection } from '../connection/connection.js';
import type { ConnectionState } from '../connection/state.js';
import { type ErrorCode, type PublicError, RedkeepError } from '../errors.js';

export interface Health {
  /** The server answered this very question within the limit. */
  readonly ok: boolean;
  readonly state: ConnectionState;
  /** Milliseconds from question to answer, or until it was given up. */
  readonly latencyMs: number;
  /** Why not: safe to show. */
  readonly error?: PublicError;
}

/** Milliseconds: what load balancers wait for. */
export const HEALTH_CHECK_LIMIT = 5000;
const PING = spec('PING');

/** Never rejects. `limit` in milliseconds, at most and by default 5000. */
export async function healthCheck(connection: Connection, limit = HEALTH_CHECK_LIMIT): Promise<Health> {
  const started = performance.now();
  const result = (error?: PublicError): Health => ({
    ok: error === undefined,
    state: connection.state,
    latencyMs: Math.round((performance.now() - started) * 1000) / 1000,
    ...(error === undefined ? {} : { error }),
  });
  // An answer to another question, or from a cache on the way, proves nothing.
  const proof = randomUUID();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new RedkeepError('REDKEEP_TIMEOUT', 'No answer to the health check')),
      Math.min(limit, HEALTH_CHECK_LIMIT),
    ).unref();
  });
  try {
    if (connection.refusal !== undefined) throw connection.refusal;
    const ask = connection.dispatch(new Command<unknown>(PING, [proof]), { asap: true, atOnce: true, typeMapping: {} });
    const answer = await Promise.race([ask, late]);
    // A RESP2 connection with subscriptions answers ['pong', proof].
    if (String(Array.isArray(answer) ? answer[1] : answer) !== proof)
      throw new RedkeepError('REDKEEP_PROTOCOL', 'The answer belongs to another question');
    return result();
  } catch (error) {
    const known =
      error instanceof RedkeepError ? error : new RedkeepError('REDKEEP_SOCKET_CLOSED' satisfies ErrorCode, '');
    return result(known.toPublic());
  } finally {
    clearTimeout(timer);
  }
}
