import type { RedisClient } from 'redkeep';
import { CliError } from '../errors.js';
import type { Expectation } from './expectations.js';

/** What the server says a user may run. */
export interface Verdict extends Expectation {
  readonly actual: boolean;
  /** The server's words when it refuses. */
  readonly reason?: string;
}

/** Asks the server (ACL DRYRUN, Redis 7.0) for each command; nothing is run. */
export async function dryRun(
  client: RedisClient,
  user: string,
  expectations: readonly Expectation[],
): Promise<Verdict[]> {
  try {
    return await Promise.all(
      expectations.map(async (expectation) => {
        const reply = String(await client.sendCommand(['ACL', 'DRYRUN', user, ...expectation.command]));
        return reply === 'OK' ? { ...expectation, actual: true } : { ...expectation, actual: false, reason: reply };
      }),
    );
  } catch (error) {
    throw new CliError(
      'REDKEEP_CONNECTION_FAILED',
      `The server did not answer ACL DRYRUN for ${user}: ${error instanceof Error ? error.message : error}`,
      'ACL DRYRUN needs Redis 7.0, Valkey 7.2 or newer, and the user must exist: see "redkeep acl diff".',
      { cause: error },
    );
  }
}
