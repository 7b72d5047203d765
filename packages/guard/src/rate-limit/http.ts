import type { IncomingMessage, ServerResponse } from 'node:http';
import { addressKey } from '../http/request.js';
import { checkedPrefix, type GuardClient, listOf, Redis } from '../redis/redis.js';
import { rateLimitHeaders } from './headers.js';
import type { Decision } from './limit.js';
import { COUNT } from './limit-scripts.js';
import type { RateLimiter } from './rate-limiter.js';

/** Options of the HTTP forms of a limiter. */
export interface RateLimitHttpOptions<Request extends IncomingMessage = IncomingMessage> {
  /** Who is limited; default the client's address (see `addressKey`). */
  readonly identityOf?: (request: Request) => string;
  readonly costOf?: (request: Request) => number;
}

/**
 * Checks a request, sets the `RateLimit` headers and answers 429 when it is refused. True when it may go on.
 *
 * @example createServer(async (request, response) => { if (await admit(limiter, request, response)) handle(); });
 */
export async function admit<Request extends IncomingMessage>(
  limiter: RateLimiter,
  request: Request,
  response: ServerResponse,
  options: RateLimitHttpOptions<Request> = {},
): Promise<boolean> {
  const decision = await decide(limiter, request, options);
  for (const [name, value] of Object.entries(rateLimitHeaders(decision, limiter.limits)))
    response.setHeader(name, value);
  if (decision.allowed) return true;
  response.statusCode = 429;
  response.setHeader('Content-Type', 'application/problem+json');
  response.end(JSON.stringify({ title: 'Too many requests', status: 429 }));
  return false;
}

/** Middleware for express and connect. */
export function rateLimitMiddleware<Request extends IncomingMessage>(
  limiter: RateLimiter,
  options: RateLimitHttpOptions<Request> = {},
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    admit(limiter, request, response, options).then((passed) => {
      if (passed) next();
    }, next);
  };
}

/** The parts of fastify's request and reply that the hook uses. */
interface FastifyRequestLike {
  readonly raw: IncomingMessage;
}
interface FastifyReplyLike {
  header(name: string, value: string): unknown;
  code(status: number): { send(payload: unknown): unknown };
}

/** `onRequest` hook for fastify. */
export function rateLimitHook(
  limiter: RateLimiter,
  options: RateLimitHttpOptions = {},
): (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown> {
  return async (request, reply) => {
    const decision = await decide(limiter, request.raw, options);
    for (const [name, value] of Object.entries(rateLimitHeaders(decision, limiter.limits))) reply.header(name, value);
    if (decision.allowed) return undefined;
    return reply.code(429).send({ title: 'Too many requests', status: 429 });
  };
}

function decide<Request extends IncomingMessage>(
  limiter: RateLimiter,
  request: Request,
  { identityOf, costOf }: RateLimitHttpOptions<Request>,
): Promise<Decision> {
  const identity = identityOf === undefined ? addressKey(request) : identityOf(request);
  return limiter.check(identity, costOf?.(request) ?? 1);
}

/** Store for express-rate-limit 7 and 8: `rateLimit({ store: new ExpressRateLimitStore({ client }) })`. */
export class ExpressRateLimitStore {
  readonly prefix: string;
  /** Keys are shared between processes. */
  readonly localKeys = false;
  readonly #redis: Redis;
  #windowMs = 60_000;

  constructor(options: { readonly client: GuardClient; readonly prefix?: string; readonly timeoutMs?: number }) {
    this.prefix = checkedPrefix(options.prefix ?? 'limit:erl:');
    this.#redis = new Redis(options.client, options.timeoutMs ?? 250);
  }

  init(options: { windowMs: number }): void {
    this.#windowMs = options.windowMs;
  }

  async increment(key: string): Promise<{ totalHits: number; resetTime: Date }> {
    return this.#count(key, 1);
  }

  async decrement(key: string): Promise<void> {
    await this.#count(key, -1);
  }

  async get(key: string): Promise<{ totalHits: number; resetTime: Date } | undefined> {
    const hits = await this.#redis.read(this.prefix + key, 'GET');
    if (hits === null) return undefined;
    const left = Number(await this.#redis.read(this.prefix + key, 'PTTL'));
    return { totalHits: Number(String(hits)), resetTime: new Date(Date.now() + left) };
  }

  async resetKey(key: string): Promise<void> {
    await this.#redis.write(this.prefix + key, 'DEL');
  }

  async #count(key: string, change: number): Promise<{ totalHits: number; resetTime: Date }> {
    const reply = await this.#redis.script(COUNT, [this.prefix + key], [String(change), String(this.#windowMs)]);
    const [totalHits, left] = listOf(reply) as [number, number];
    return { totalHits, resetTime: new Date(Date.now() + left) };
  }
}
