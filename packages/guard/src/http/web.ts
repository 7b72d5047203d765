import type { CsrfTokens } from '../csrf/csrf-tokens.js';
import { argument, callback, checked, flag, having, required, type Schema } from '../options.js';
import { rateLimitHeaders } from '../rate-limit/headers.js';
import type { RateLimiter } from '../rate-limit/rate-limiter.js';
import type { SessionCookie } from '../session/session-cookie.js';
import type { Session, Sessions } from '../session/sessions.js';
import { requestFingerprint } from './request-fingerprint.js';

/*
 * For frameworks on web-standard Request and Response: Hono, Next route handlers, SvelteKit, Deno, Bun. A Request does not
 * say which address it came from, so the identity is always the application's to name.
 */

/** Options of {@link webRateLimit}. */
export interface WebRateLimitOptions {
  /** The identity that is limited; for an address, what your platform's adapter gives, through `clientAddress`. */
  readonly identityOf: (request: Request) => string;
  readonly costOf?: (request: Request) => number;
}

const LIMIT: Schema<WebRateLimitOptions> = { identityOf: required(callback), costOf: callback };

/**
 * Checks a request. `refused` is the 429 to return; without it, go on and add `headers` to your response.
 *
 * @example
 * const limit = webRateLimit(limiter, { identityOf: (request) => request.headers.get('x-real-ip') ?? 'unknown' });
 * const { refused, headers } = await limit(new Request('https://app.example/'));
 */
export function webRateLimit(
  limiter: RateLimiter,
  options: WebRateLimitOptions,
): (request: Request) => Promise<{ readonly refused?: Response; readonly headers: Readonly<Record<string, string>> }> {
  checked(options, LIMIT as Schema<typeof options>);
  return async (request) => {
    const decision = await limiter.check(options.identityOf(request), options.costOf?.(request) ?? 1);
    const headers = rateLimitHeaders(decision, limiter.limits);
    if (decision.allowed) return { headers };
    const body = JSON.stringify({ title: 'Too many requests', status: 429 });
    const refused = new Response(body, {
      status: 429,
      headers: { ...headers, 'content-type': 'application/problem+json' },
    });
    return { refused, headers };
  };
}

/** Options of {@link WebSessionHandler}. */
export interface WebSessionHandlerOptions<Data> {
  readonly sessions: Sessions<Data>;
  readonly cookie: SessionCookie;
  /** Binds sessions to what the client looks like; default true. */
  readonly fingerprint?: boolean;
}

const HANDLER: Schema<WebSessionHandlerOptions<unknown>> = {
  sessions: required(having('Sessions', 'load', 'create', 'rotate', 'destroy')),
  cookie: required(having('a SessionCookie', 'read', 'serialize', 'clear')),
  fingerprint: flag,
};

/**
 * Sessions for web-standard requests: reads the cookie, and gives back what to set.
 *
 * @example
 * const handler = new WebSessionHandler({ sessions, cookie });
 * async function POST(request: Request): Promise<Response> {
 *   const session = await handler.logIn(request, await handler.load(request), { user: 'ana', data: {} });
 *   return new Response('hello', { headers: { 'set-cookie': handler.cookieOf(session) } });
 * }
 */
export class WebSessionHandler<Data> {
  readonly #sessions: Sessions<Data>;
  readonly #cookie: SessionCookie;
  readonly #binds: boolean;

  constructor(given: WebSessionHandlerOptions<Data>) {
    const options = checked(given, HANDLER as Schema<WebSessionHandlerOptions<Data>>);
    this.#sessions = options.sessions;
    this.#cookie = options.cookie;
    this.#binds = options.fingerprint ?? true;
  }

  /** The session of a request, or undefined. Errors: those of `Sessions.load`. */
  async load(request: Request): Promise<Session<Data> | undefined> {
    const id = this.#cookie.read(request.headers.get('cookie') ?? undefined);
    return id === undefined ? undefined : this.#sessions.load(id, this.#seen(request));
  }

  /** A session with a new id, whatever there was before. */
  async logIn(
    request: Request,
    before: Session<Data> | undefined,
    start: { readonly user: string; readonly data: Data; readonly device?: string },
  ): Promise<Session<Data>> {
    return before === undefined
      ? this.#sessions.create({ ...start, ...this.#seen(request) })
      : this.#sessions.rotate(before, { ...start, ...this.#seen(request) });
  }

  /** Ends the session of a request. Returns the `Set-Cookie` that removes it. */
  async logOut(request: Request): Promise<string> {
    const id = this.#cookie.read(request.headers.get('cookie') ?? undefined);
    if (id !== undefined) await this.#sessions.destroy(id);
    return this.#cookie.clear();
  }

  cookieOf(session: Session<Data>): string {
    return this.#cookie.serialize(session.id);
  }

  #seen(request: Request): { fingerprint?: string } {
    return this.#binds ? { fingerprint: requestFingerprint({ headers: headersOf(request) }) } : {};
  }
}

/** Whether a web-standard request may change something; see `CsrfTokens.check`. */
export function webCsrfCheck(csrf: CsrfTokens, request: Request, sessionId: string, token: unknown): boolean {
  argument(csrf, 'csrf', having('CsrfTokens', 'check'));
  argument(request?.headers, 'request.headers', having('the Headers of a Request', 'get', 'entries'));
  return csrf.check({ method: request.method, headers: headersOf(request) }, sessionId, token);
}

function headersOf(request: Request): Record<string, string> {
  return Object.fromEntries(request.headers);
}

/** The part of Hono's context that the middleware uses. */
interface HonoContextLike {
  readonly req: { readonly raw: Request };
  header(name: string, value: string): void;
}

/** Middleware for Hono. */
export function honoRateLimit<Context extends HonoContextLike>(
  limiter: RateLimiter,
  options: { readonly identityOf: (context: Context) => string; readonly costOf?: (context: Context) => number },
): (context: Context, next: () => Promise<void>) => Promise<Response | undefined> {
  checked(options, LIMIT as Schema<typeof options>);
  return async (context, next) => {
    const check = webRateLimit(limiter, {
      identityOf: () => options.identityOf(context),
      costOf: () => options.costOf?.(context) ?? 1,
    });
    const { refused, headers } = await check(context.req.raw);
    if (refused !== undefined) return refused;
    await next();
    // Afterwards: a handler that returns a Response of its own would lose headers set before.
    for (const [name, value] of Object.entries(headers)) context.header(name, value);
    return undefined;
  };
}

/** The part of koa's context that the middleware uses. `ip` is right behind a proxy when `app.proxy` is set. */
interface KoaContextLike {
  readonly ip: string;
  status: number;
  body: unknown;
  set(name: string, value: string): void;
}

/** Middleware for koa. */
export function koaRateLimit<Context extends KoaContextLike>(
  limiter: RateLimiter,
  options: { readonly identityOf: (context: Context) => string; readonly costOf?: (context: Context) => number },
): (context: Context, next: () => Promise<unknown>) => Promise<void> {
  checked(options, LIMIT as Schema<typeof options>);
  return async (context, next) => {
    const decision = await limiter.check(options.identityOf(context), options.costOf?.(context) ?? 1);
    for (const [name, value] of Object.entries(rateLimitHeaders(decision, limiter.limits))) context.set(name, value);
    if (decision.allowed) return void (await next());
    context.status = 429;
    context.body = { title: 'Too many requests', status: 429 };
  };
}

/** The part of Nest's execution context that the guard uses. */
interface NestContextLike {
  switchToHttp(): { getRequest<T>(): T; getResponse<T>(): T };
}

/** A guard for Nest: `useGlobalGuards(new NestRateLimitGuard(limiter, { identityOf }))`, on express or fastify. */
export class NestRateLimitGuard<Request> {
  readonly #limiter: RateLimiter;
  readonly #identityOf: (request: Request) => string;
  readonly #refuse: () => Error;

  /** `refuse`: what is thrown, for example `() => new HttpException('Too many requests', 429)`. */
  constructor(
    limiter: RateLimiter,
    options: { readonly identityOf: (request: Request) => string; readonly refuse: () => Error },
  ) {
    checked(options, { identityOf: required(callback), refuse: required(callback) });
    this.#limiter = limiter;
    this.#identityOf = options.identityOf;
    this.#refuse = options.refuse;
  }

  async canActivate(context: NestContextLike): Promise<boolean> {
    const http = context.switchToHttp();
    const decision = await this.#limiter.check(this.#identityOf(http.getRequest<Request>()));
    const response = http.getResponse<{ header(name: string, value: string): unknown }>();
    for (const [name, value] of Object.entries(rateLimitHeaders(decision, this.#limiter.limits)))
      response.header(name, value);
    if (!decision.allowed) throw this.#refuse();
    return true;
  }
}
