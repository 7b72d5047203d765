import { createHash, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { argumentText } from '../argument-text.js';
import { InvalidOptionError } from '../errors.js';

const REDACTED = '[redacted]';

/**
 * A credential that cannot be printed. `inspect`, `toString`, JSON, template literals and structured clones show
 * `[redacted]`; the value leaves only through {@link Secret.reveal}.
 *
 * @example
 * const password = new Secret('correct horse');
 * `${password}`; // '[redacted]'
 */
export class Secret {
  readonly #value: string;
  constructor(value: string) {
    if (typeof value !== 'string') throw new InvalidOptionError('Secret', 'must hold a string');
    this.#value = value;
  }
  static from(value: string | Secret): Secret {
    return value instanceof Secret ? value : new Secret(value);
  }
  /** The value itself. Call it only where it is handed to the wire. */
  reveal(): string {
    return this.#value;
  }
  /** Compares in constant time, whatever the lengths. */
  equals(other: string | Secret): boolean {
    const digest = (value: string) => createHash('sha256').update(value).digest();
    return timingSafeEqual(digest(this.#value), digest(typeof other === 'string' ? other : other.reveal()));
  }
  toString(): string {
    return REDACTED;
  }
  toJSON(): string {
    return REDACTED;
  }
  [Symbol.toPrimitive](): string {
    return REDACTED;
  }
  [inspect.custom](): string {
    return REDACTED;
  }
}

/** `rediss://user:***@host:port/0` for logs: every credential of a URL masked. */
export function maskUrl(url: string): string {
  return argumentText('maskUrl', 0, url).replace(
    /^([a-z][a-z0-9+.-]*:\/\/)([^@/]*)@/i,
    (_, scheme: string, userinfo: string) => {
      const user = userinfo.split(':', 1)[0];
      return `${scheme}${user}:***@`;
    },
  );
}
