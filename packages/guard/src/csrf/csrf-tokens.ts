import { randomBytes } from 'node:crypto';
import type { KeyMaterial } from '../encryption/key-ring.js';
import { GuardError } from '../errors.js';
import { checked, keys as keyList, list, required, type Schema, text } from '../options.js';
import { SigningKeys } from '../signing-keys.js';
import { wellFormed } from '../well-formed.js';

/** Options of {@link CsrfTokens}. */
export interface CsrfOptions {
  /** Keys of 32 bytes, newest first; nothing else uses them. A token names its key; add a new one second, then move it first. */
  readonly keys: readonly KeyMaterial[];
  /** Origins of the application: `https://app.example`. A request that names another is refused whatever its token. */
  readonly origins: readonly string[];
}

/** The headers that say where a request was made. */
export interface OriginHeaders {
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | readonly string[] | undefined;
}

const CSRF: Schema<CsrfOptions> = { keys: required(keyList), origins: required(list(text, 1)) };

/** With the signature a multiple of three bytes: a token has one spelling. */
const SALT_BYTES = 18;
const TOKEN_LENGTH = ((SALT_BYTES + SigningKeys.signatureBytes) * 4) / 3;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * Tokens against forged requests, bound to the session id: a token of one session is refused in another, also in the same
 * browser after a login, because `rotate` changes the id. They need no storage. A fresh salt for each page hides the token
 * from compression attacks (BREACH). They do not help against scripts injected into the application's own pages.
 *
 * @example
 * const csrf = new CsrfTokens({ keys: [key], origins: ['https://app.example'] });
 * form.hidden('_csrf', csrf.issue(visitor.id));
 * if (!csrf.check({ method: 'POST', headers }, visitor.id, token)) return forbidden();
 */
export class CsrfTokens {
  readonly #keys: SigningKeys;
  readonly #origins: ReadonlySet<string>;

  constructor(options: CsrfOptions) {
    const { keys, origins } = checked(options, CSRF);
    this.#keys = new SigningKeys(keys, 'csrf');
    for (const origin of origins)
      if (!URL.canParse(origin) || new URL(origin).origin !== origin)
        throw new GuardError('REDKEEP_GUARD_OPTION', 'origins are scheme, host and port: https://app.example');
    this.#origins = new Set(origins);
  }

  /** A token for one page of a session, 72 characters. */
  issue(sessionId: string): string {
    const salt = randomBytes(SALT_BYTES);
    return Buffer.concat([salt, this.#keys.sign(salt, checkedId(sessionId))]).toString('base64url');
  }

  /** Whether a token is of this session. Never throws for what a client sent. */
  verify(sessionId: string, token: unknown): boolean {
    if (typeof token !== 'string' || token.length !== TOKEN_LENGTH || !/^[\w-]+$/.test(token)) return false;
    const bytes = Buffer.from(token, 'base64url');
    return this.#keys.verify(bytes.subarray(0, SALT_BYTES), bytes.subarray(SALT_BYTES), checkedId(sessionId));
  }

  /**
   * Whether a request may change something: a safe method, or an origin of ours (Origin, else Sec-Fetch-Site, where the
   * browser sends one) and a token of this session.
   */
  check(
    request: { readonly method?: string | undefined; readonly headers: OriginHeaders },
    sessionId: string,
    token: unknown,
  ): boolean {
    if (this.isSafe(request.method)) return true;
    return this.isOwnOrigin(request.headers) && this.verify(sessionId, token);
  }

  /** Whether a method changes nothing (RFC 9110). A request that does not say its method may be any. */
  isSafe(method: string | undefined): boolean {
    return SAFE.has((method ?? '').toUpperCase());
  }

  /** False for a request that says it was made elsewhere. One that says nothing (an old browser, a program) is not. */
  isOwnOrigin(headers: OriginHeaders): boolean {
    const { origin } = headers;
    if (origin !== undefined) return this.#origins.has(origin);
    const site = headers['sec-fetch-site'];
    return site === undefined || site === 'same-origin' || site === 'none';
  }
}

function checkedId(sessionId: unknown): string {
  if (typeof sessionId !== 'string' || sessionId.length < 16)
    throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'session id');
  return wellFormed(sessionId, 'session id');
}
