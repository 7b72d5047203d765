import { createHash } from 'node:crypto';
import { RedkeepError } from '../errors.js';

/** Different scripts that one client may send by EVAL; an application has a handful, a template has one a value. */
export const DEFAULT_MAX_SCRIPTS = 128;

/**
 * Refuses scripts that are put together from data. Such a script is an injection waiting to happen, and each of its
 * texts stays in the server's memory. Data reaches scripts as KEYS and ARGV only.
 */
export class ScriptWatch {
  readonly #max: number;
  readonly #seen = new Set<string>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Why the script may not be sent; undefined when it may. */
  refusalOf(script: unknown): RedkeepError | undefined {
    if (typeof script !== 'string' && !Buffer.isBuffer(script)) return undefined; // refused later, by position
    const digest = createHash('sha256').update(script).digest('base64');
    if (this.#seen.has(digest)) return undefined;
    if (this.#seen.size >= this.#max) {
      return new RedkeepError(
        'REDKEEP_SCRIPT_NOT_STATIC',
        `More than ${this.#max} different scripts were sent with EVAL`,
      );
    }
    this.#seen.add(digest);
    return undefined;
  }
}
