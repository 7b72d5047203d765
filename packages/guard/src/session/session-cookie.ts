import { GuardError } from '../errors.js';
import { checked, coded, flag, matching, number, oneOf, type Schema } from '../options.js';

/** Options of {@link SessionCookie}. */
export interface SessionCookieOptions {
  /** Without prefix; default `sid`. The cookie is `__Host-sid`. */
  readonly name?: string;
  readonly sameSite?: 'strict' | 'lax';
  /** Milliseconds, 1000 to 24 hours; default: until the browser closes. */
  readonly maxAgeMs?: number;
  /** Send over plain HTTP and without the `__Host-` prefix; for development on localhost. */
  readonly dangerouslyAllowHttp?: boolean;
  /** Share with subdomains: any of them can then set or read it. Loses the `__Host-` prefix. */
  readonly dangerouslyShareWithDomain?: string;
  /** Send from other sites (`SameSite=None`): needs protection from forged requests. */
  readonly dangerouslyAllowCrossSite?: boolean;
}

/** Cookie options as express-session and @fastify/session take them; `maxAge` in milliseconds. */
export interface FrameworkCookie {
  readonly httpOnly: true;
  readonly secure: boolean;
  readonly sameSite: 'none' | 'strict' | 'lax';
  readonly path: '/';
  readonly maxAge?: number;
  readonly domain?: string;
}

/** What would weaken a cookie under its usual name; refused so that it is asked for by the name that says so. */
const WEAKENINGS = { httpOnly: false, secure: false, sameSite: 'none', domain: undefined } as const;
const COOKIE: Schema<SessionCookieOptions> = {
  name: matching(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, - and _'),
  sameSite: oneOf('strict', 'lax'),
  maxAgeMs: coded('REDKEEP_COOKIE_POLICY', number(1000, 86_400_000)),
  dangerouslyAllowHttp: flag,
  dangerouslyShareWithDomain: matching(/^[a-z0-9.-]+$/i, 'must be a domain'),
  dangerouslyAllowCrossSite: flag,
};

/**
 * The cookie that carries a session id: HttpOnly, Secure, SameSite=Lax, Path=/, `__Host-` prefix. A weaker one has
 * to be asked for by a name that says so.
 *
 * @example
 * const cookie = new SessionCookie();
 * response.setHeader('Set-Cookie', cookie.serialize(visitor.id));
 * const id = cookie.read(request.headers.cookie);
 */
export class SessionCookie {
  readonly name: string;
  readonly #options: SessionCookieOptions;
  readonly #attributes: string;

  constructor(given: SessionCookieOptions = {}) {
    for (const [name, weak] of Object.entries(WEAKENINGS)) {
      const asked = Object.entries(given ?? {}).find(([other]) => other === name);
      if (asked !== undefined && (name === 'domain' || asked[1] === weak))
        throw new GuardError('REDKEEP_COOKIE_POLICY', name);
    }
    const options = checked(given, COOKIE);
    const { name = 'sid' } = options;
    const domain = options.dangerouslyShareWithDomain;
    const http = options.dangerouslyAllowHttp === true;
    if (http && options.dangerouslyAllowCrossSite === true)
      throw new GuardError('REDKEEP_COOKIE_POLICY', 'SameSite=None needs https');
    this.name = http || domain !== undefined ? name : `__Host-${name}`;
    this.#options = options;
    this.#attributes = [
      'Path=/',
      'HttpOnly',
      ...(http ? [] : ['Secure']),
      `SameSite=${this.#sameSite}`,
      ...(domain === undefined ? [] : [`Domain=${domain}`]),
    ].join('; ');
  }

  get #sameSite(): 'None' | 'Strict' | 'Lax' {
    if (this.#options.dangerouslyAllowCrossSite === true) return 'None';
    return this.#options.sameSite === 'strict' ? 'Strict' : 'Lax';
  }

  /** Value of a `Set-Cookie` header. */
  serialize(id: string): string {
    const { maxAgeMs } = this.#options;
    const age = maxAgeMs === undefined ? '' : `; Max-Age=${Math.floor(maxAgeMs / 1000)}`;
    return `${this.name}=${encodeURIComponent(id)}; ${this.#attributes}${age}`;
  }

  /** Value of the `Set-Cookie` header that removes it. */
  clear(): string {
    return `${this.name}=; ${this.#attributes}; Max-Age=0`;
  }

  /** The id in a `Cookie` header; undefined when there is none, or more than one: somebody tossed one in. */
  read(header: string | undefined): string | undefined {
    // A header that came twice is a list in some frameworks: nobody can say which one counts.
    const found = (typeof header === 'string' ? header : '')
      .split(';')
      .map((part) => part.trim())
      .filter((part) => part.startsWith(`${this.name}=`));
    if (found.length !== 1) return undefined;
    try {
      return decodeURIComponent(found[0]!.slice(this.name.length + 1));
    } catch {
      return undefined;
    }
  }

  /** The same as options of express-session: `session({ ...cookie.forExpress(), … })`. */
  forExpress(): { name: string; cookie: FrameworkCookie } {
    return { name: this.name, cookie: this.#forFramework() };
  }

  /** The same as options of @fastify/session. A new session is stored once something is put into it. */
  forFastify(): { cookieName: string; cookie: FrameworkCookie; saveUninitialized: false } {
    return { cookieName: this.name, cookie: this.#forFramework(), saveUninitialized: false };
  }

  #forFramework(): FrameworkCookie {
    const { dangerouslyAllowHttp, dangerouslyShareWithDomain: domain, maxAgeMs } = this.#options;
    return {
      httpOnly: true,
      secure: dangerouslyAllowHttp !== true,
      sameSite: this.#sameSite.toLowerCase() as FrameworkCookie['sameSite'],
      path: '/',
      ...(maxAgeMs === undefined ? {} : { maxAge: maxAgeMs }),
      ...(domain === undefined ? {} : { domain }),
    };
  }
}
