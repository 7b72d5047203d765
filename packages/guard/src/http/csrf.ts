import type { ServerResponse } from 'node:http';
import type { CsrfTokens, OriginHeaders } from '../csrf/csrf-tokens.js';
import { callback, checked, required, type Schema } from '../options.js';
import { type FastifyReplyLike, type Problem, problemResponse, replyProblem, sendProblem } from './problem.js';

/** What the CSRF check reads of express's and fastify's requests. */
export interface CsrfRequest {
  readonly method?: string | undefined;
  readonly headers: OriginHeaders & { readonly [name: string]: string | readonly string[] | undefined };
  readonly body?: unknown;
}

/** Options of {@link csrfMiddleware} and {@link csrfHook}. */
export interface CsrfHttpOptions<Request> {
  /** The id of the session that the request belongs to; undefined when there is none, which refuses what changes something. */
  readonly sessionIdOf: (request: Request) => string | undefined;
  /** Where the token is; default the header `X-CSRF-Token`, else the field `_csrf` of a parsed body. */
  readonly tokenOf?: (request: Request) => unknown;
}

/** Options of {@link webCsrf}. */
export interface WebCsrfOptions {
  readonly sessionIdOf: (request: Request) => string | undefined | Promise<string | undefined>;
  /** Default the header `X-CSRF-Token`, else the field `_csrf` of a form. */
  readonly tokenOf?: (request: Request) => unknown;
}

const OPTIONS: Schema<CsrfHttpOptions<unknown>> = { sessionIdOf: required(callback), tokenOf: callback };
const HEADER = 'x-csrf-token';
const FIELD = '_csrf';
const REFUSED: Problem = { title: 'This page is too old, or the request was made elsewhere', status: 403 };
const FORM = /^(application\/x-www-form-urlencoded|multipart\/form-data)\b/i;

/**
 * Middleware for express and connect, after the body parser and before what changes something: answers 403 to a request
 * that `CsrfTokens.check` refuses.
 *
 * @example
 * const csrf = new CsrfTokens({ keys: [key], origins: ['https://app.example'] });
 * const middleware = csrfMiddleware(csrf, { sessionIdOf: (request) => request.headers['x-session'] as string | undefined });
 */
export function csrfMiddleware<Request extends CsrfRequest>(
  csrf: CsrfTokens,
  given: CsrfHttpOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  const options = checked(given, OPTIONS as Schema<typeof given>);
  return (request, response, next) => {
    let passes: boolean;
    try {
      passes = isGenuine(csrf, request, options);
    } catch (error) {
      return next(error);
    }
    if (passes) next();
    else sendProblem(response, REFUSED);
  };
}

/** `preHandler` hook for fastify. */
export function csrfHook<Request extends CsrfRequest>(
  csrf: CsrfTokens,
  given: CsrfHttpOptions<Request>,
): (request: Request, reply: FastifyReplyLike) => Promise<unknown> {
  const options = checked(given, OPTIONS as Schema<typeof given>);
  return async (request, reply) => (isGenuine(csrf, request, options) ? undefined : replyProblem(reply, REFUSED));
}

/** For web-standard requests: the 403 to return, or undefined when the request may go on. It leaves the body unread. */
export function webCsrf(csrf: CsrfTokens, given: WebCsrfOptions): (request: Request) => Promise<Response | undefined> {
  const options = checked(given, OPTIONS as Schema<typeof given>);
  return async (request) => {
    const { method } = request;
    const headers = Object.fromEntries(request.headers);
    if (csrf.isSafe(method)) return undefined;
    const sessionId = await options.sessionIdOf(request);
    if (sessionId === undefined) return problemResponse(REFUSED);
    const token = await (options.tokenOf ?? webTokenOf)(request);
    return csrf.check({ method, headers }, sessionId, token) ? undefined : problemResponse(REFUSED);
  };
}

function isGenuine<Request extends CsrfRequest>(
  csrf: CsrfTokens,
  request: Request,
  { sessionIdOf, tokenOf = ownTokenOf }: CsrfHttpOptions<Request>,
): boolean {
  if (csrf.isSafe(request.method)) return true;
  const sessionId = sessionIdOf(request);
  return sessionId !== undefined && csrf.check(request, sessionId, tokenOf(request));
}

function ownTokenOf({ headers, body }: CsrfRequest): unknown {
  return headers[HEADER] ?? (body as Record<string, unknown> | null | undefined)?.[FIELD];
}

async function webTokenOf(request: Request): Promise<unknown> {
  const header = request.headers.get(HEADER);
  if (header !== null) return header;
  if (!FORM.test(request.headers.get('content-type') ?? '')) return undefined;
  return request
    .clone()
    .formData()
    .then(
      (form) => form.get(FIELD),
      () => undefined,
    );
}
