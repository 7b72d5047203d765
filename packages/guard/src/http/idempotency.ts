import type { IncomingMessage, ServerResponse } from 'node:http';
import { sha256 } from '../digest.js';
import { GuardError, hasCode } from '../errors.js';
import type { IdempotencyKeys, IdempotentRequest } from '../idempotency/idempotency.js';
import { callback, checked, flag, required, type Schema } from '../options.js';
import { CapturedResponse, ORPHANED_MS } from './captured-response.js';
import { type KeptResponse, keepable, keptOf, NotKept } from './kept-response.js';
import { type FastifyReplyLike, type Problem, problemResponse, replyProblem, sendProblem } from './problem.js';

/** What is read of express's and fastify's requests. */
export interface IdempotentHttpRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** express: the path with what routers have taken off. */
  readonly originalUrl?: string | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** As a body parser leaves it. */
  readonly body?: unknown;
}

/** Options of the HTTP forms of {@link IdempotencyKeys}. */
export interface IdempotencyHttpOptions<Request = IdempotentHttpRequest> {
  /** Who sends the request, after you have made sure of it: the keys of two users never meet. */
  readonly scopeOf: (request: Request) => string;
  /** What makes two requests the same; default method, path with query, Content-Type, and the parsed body. */
  readonly fingerprintOf?: (request: Request) => string;
  /** Answer 400 to a request that changes something and has no `Idempotency-Key`; default false: it runs as ever. */
  readonly requireKey?: boolean;
}

const OPTIONS: Schema<IdempotencyHttpOptions> = {
  scopeOf: required(callback),
  fingerprintOf: callback,
  requireKey: flag,
};
const HEADER = 'idempotency-key';
/** Says that an answer was kept from an earlier request. */
const REPLAYED = 'Idempotency-Replayed';
/** Repeating them is safe by itself (RFC 9110). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE']);
/** An answer that nobody saw: JSON does not hold it, so that it is kept as one that cannot be given again. */
const UNSEEN = 0n as unknown as KeptResponse;
const NO_KEY: Problem = { title: 'Idempotency-Key is missing, or not 16 to 255 characters', status: 400 };
const RUNNING: Problem = {
  title: 'A request with this Idempotency-Key is running',
  status: 409,
  headers: { 'Retry-After': '1' },
};
const MISMATCH: Problem = { title: 'The Idempotency-Key was used with another request', status: 422 };

/**
 * Middleware for express, after the body parser and the authentication: a POST or PATCH with an `Idempotency-Key` runs
 * once. Its answer is kept before it is sent, except from status 500 on, and without cookies; so it is held in memory, and
 * nothing is streamed. Answers 409 and 422 by itself; outages go to `next`.
 *
 * @example
 * const middleware = idempotencyMiddleware(once, { scopeOf: (request) => String(request.headers['x-user']) });
 */
export function idempotencyMiddleware<Request extends IdempotentHttpRequest & IncomingMessage>(
  once: IdempotencyKeys,
  given: IdempotencyHttpOptions<Request>,
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  const options = checked(given, OPTIONS as Schema<typeof given>);
  return (request, response, next) => {
    const asked = askedFor(request, options, next);
    if (asked === undefined) return;
    if ('title' in asked) return sendProblem(response, asked);
    let captured: CapturedResponse | undefined;
    const work = async () => {
      captured = new CapturedResponse(response);
      next();
      return keepable(await captured.ended);
    };
    const send = (answer: KeptResponse, replayed: boolean) => {
      if (captured !== undefined) return captured.send();
      response.statusCode = answer.status;
      for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value);
      if (replayed) response.setHeader(REPLAYED, 'true');
      response.end(Buffer.from(answer.body, 'base64'));
    };
    once.run(asked, work).then(
      ({ value, replayed }) => send(value, replayed),
      (error: unknown) => {
        if (error instanceof NotKept) return send(error.answer, false);
        const problem = problemOf(error);
        captured?.discard();
        if (problem !== undefined) sendProblem(response, problem);
        else next(error);
      },
    );
  };
}

/** The parts of fastify's reply that {@link idempotencyHooks} uses. */
interface FastifyIdempotentReply extends FastifyReplyLike {
  readonly statusCode: number;
  getHeaders(): Record<string, number | string | string[] | undefined>;
  readonly raw: ServerResponse;
}

interface Running {
  readonly resolve: (answer: KeptResponse) => void;
  readonly reject: (error: unknown) => void;
  readonly kept: Promise<unknown>;
}

/**
 * The same for fastify: `app.post('/payments', idempotencyHooks(once, { scopeOf }), pay)`, or `app.addHook` with each.
 */
export function idempotencyHooks<Request extends IdempotentHttpRequest>(
  once: IdempotencyKeys,
  given: IdempotencyHttpOptions<Request>,
): {
  readonly preHandler: (request: Request, reply: FastifyIdempotentReply) => Promise<unknown>;
  readonly onSend: (request: Request, reply: FastifyIdempotentReply, payload: unknown) => Promise<unknown>;
} {
  const options = checked(given, OPTIONS as Schema<typeof given>);
  const runs = new WeakMap<object, Running>();
  return {
    async preHandler(request, reply) {
      let goesOn = false;
      const asked = askedFor(request, options, (error) => {
        if (error !== undefined) throw error;
        goesOn = true;
      });
      if (goesOn || asked === undefined) return undefined;
      if ('title' in asked) return replyProblem(reply, asked);
      let begin: (running: 'running') => void = () => undefined;
      const begun = new Promise<'running'>((resolve) => {
        begin = resolve;
      });
      let parts: Pick<Running, 'resolve' | 'reject'> | undefined;
      const kept = once.run(
        asked,
        () =>
          new Promise<KeptResponse>((resolve, reject) => {
            parts = { resolve, reject };
            begin('running');
          }),
      );
      kept.catch(() => undefined);
      let outcome: Awaited<typeof kept> | 'running';
      try {
        outcome = await Promise.race([begun, kept]);
      } catch (error) {
        const problem = problemOf(error);
        if (problem === undefined) throw error;
        return replyProblem(reply, problem);
      }
      if (outcome === 'running') {
        runs.set(request, { ...parts!, kept });
        const end = () => {
          // Sent past fastify (`hijack`): the work was done, and no repetition may do it again.
          if (runs.delete(request)) parts!.resolve(UNSEEN);
        };
        reply.raw.once('finish', end);
        reply.raw.once('close', () => void setTimeout(end, ORPHANED_MS).unref());
        return undefined;
      }
      const { status, headers, body } = outcome.value;
      for (const [name, value] of Object.entries(headers)) reply.header(name, value as string);
      reply.header(REPLAYED, 'true');
      return reply.code(status).send(Buffer.from(body, 'base64'));
    },
    async onSend(request, reply, payload) {
      const running = runs.get(request);
      if (running === undefined) return payload;
      // What is sent after a failure here is not an answer of the work.
      runs.delete(request);
      let body: Buffer;
      try {
        body = await bytesOf(isResponse(payload) ? unwrapped(payload, reply) : payload);
      } catch (error) {
        // A stream that broke off: like an answer from 500 on.
        running.reject(error);
        await running.kept.catch(() => undefined);
        throw error;
      }
      const answer = keptOf(reply.statusCode, reply.getHeaders(), body);
      if (answer.status >= 500) running.reject(new NotKept(answer));
      else running.resolve(answer);
      await running.kept.catch((error: unknown) => {
        if (!(error instanceof NotKept)) throw error;
      });
      return body;
    },
  };
}

/**
 * The same for web-standard requests (Hono, Next, SvelteKit): runs `handle`, or gives the answer of the request before.
 *
 * @example
 * const run = webIdempotency(once, { scopeOf: (request) => request.headers.get('x-user') ?? 'nobody' });
 * const POST = (request: Request) => run(request, () => new Response('paid'));
 */
export function webIdempotency(
  once: IdempotencyKeys,
  given: IdempotencyHttpOptions<Request>,
): (request: Request, handle: (request: Request) => Response | Promise<Response>) => Promise<Response> {
  const options = checked(given, OPTIONS as Schema<typeof given>);
  return async (request, handle) => {
    const { method, url } = request;
    const headers = Object.fromEntries(request.headers);
    // The body is read once here, and once by the handler.
    const bytes = Buffer.from(await request.clone().arrayBuffer());
    let goesOn = false;
    const asked = askedFor(
      { method, url, headers, body: bytes },
      {
        ...options,
        scopeOf: () => options.scopeOf(request),
        fingerprintOf: () => options.fingerprintOf?.(request) ?? ownFingerprint({ method, url, headers, body: bytes }),
      },
      (error) => {
        if (error !== undefined) throw error;
        goesOn = true;
      },
    );
    if (goesOn || asked === undefined) return handle(request);
    if ('title' in asked) return problemResponse(asked);
    let own: Response | undefined;
    try {
      const { value, replayed } = await once.run(asked, async () => {
        const made = await handle(request);
        const body = Buffer.from(await made.arrayBuffer());
        // A fresh one: cookies and all, and a body that is not used up.
        own = new Response(body.length === 0 ? null : body, made);
        return keepable(keptOf(made.status, Object.fromEntries(made.headers), body));
      });
      if (!replayed && own !== undefined) return own;
      const body = value.body === '' ? null : Buffer.from(value.body, 'base64');
      const given = Object.entries(value.headers).map(([name, text]) => [name, String(text)] as [string, string]);
      return new Response(body, { status: value.status, headers: [...given, [REPLAYED, 'true']] });
    } catch (error) {
      if (error instanceof NotKept && own !== undefined) return own;
      const problem = problemOf(error);
      if (problem === undefined) throw error;
      return problemResponse(problem);
    }
  };
}

/** What is to be run once; a refusal; undefined after `next` for a request that runs as ever. */
function askedFor<Request extends IdempotentHttpRequest>(
  request: Request,
  { scopeOf, fingerprintOf = ownFingerprint, requireKey = false }: IdempotencyHttpOptions<Request>,
  next: (error?: unknown) => void,
): IdempotentRequest | Problem | undefined {
  if (IDEMPOTENT.has((request.method ?? '').toUpperCase())) return void next();
  const given = request.headers[HEADER];
  if (given === undefined) return requireKey ? NO_KEY : void next();
  if (typeof given !== 'string' || given.length < 16 || given.length > 255) return NO_KEY;
  try {
    return { key: given, scope: scopeOf(request), fingerprint: fingerprintOf(request) };
  } catch (error) {
    next(error);
    return undefined;
  }
}

function ownFingerprint({ method, url, originalUrl = url, headers, body }: IdempotentHttpRequest): string {
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (body === undefined && hasBody)
    throw new GuardError('REDKEEP_GUARD_OPTION', 'the body of the request is not parsed', {
      hint: 'Put the middleware after the body parser, or give fingerprintOf.',
    });
  // By bytes where there are bytes: as text, all that is not UTF-8 would be one character.
  const content = body instanceof Uint8Array ? body : (JSON.stringify(body) ?? '');
  return JSON.stringify([method, originalUrl, headers['content-type'] ?? '', sha256(content)]);
}

function problemOf(error: unknown): Problem | undefined {
  if (hasCode(error, 'REDKEEP_IDEMPOTENCY_RUNNING')) return RUNNING;
  return hasCode(error, 'REDKEEP_IDEMPOTENCY_MISMATCH') ? MISMATCH : undefined;
}

function isResponse(payload: unknown): payload is Response {
  return Object.prototype.toString.call(payload) === '[object Response]';
}

/** What fastify does with a web-standard response, which it shows to hooks whole. */
function unwrapped(response: Response, reply: FastifyIdempotentReply): unknown {
  for (const [name, value] of response.headers) reply.header(name, value);
  reply.code(response.status);
  return response.body;
}

async function bytesOf(payload: unknown): Promise<Buffer> {
  if (payload === null || payload === undefined) return Buffer.alloc(0);
  if (typeof payload === 'string') return Buffer.from(payload);
  if (payload instanceof Uint8Array) return Buffer.from(payload);
  const chunks: Uint8Array[] = [];
  for await (const chunk of payload as AsyncIterable<Uint8Array | string>)
    chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}
