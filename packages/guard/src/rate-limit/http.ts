import type { IncomingMessage, ServerResponse } from 'node:http';
import { keyedHash } from '../digest.js';
import { decodeKey, type KeyMaterial } from '../encryption/key-ring.js';
import { type AddressedRequest, clientAddress, isBehindUntrustedProxy } from '../http/client-address.js';
import {
  anyText,
  argument,
  callback,
  checked,
  client,
  having,
  key,
  prefix,
  required,
  type Schema,
  timeout,
} from '../options.js';
import { type GuardClient, listOf, Redis } from '../redis/redis.js';
import { rateLimitHeaders } from './headers.js';
import type { Decision } from './limit.js';
import { COUNT } from './limit-scripts.js';
import type { RateLimiter } from './rate-limiter.js';

/** Options of the HTTP forms of a limiter. */
export interface RateLimitHttpOptions<Request extends AddressedRequest = IncomingMessage> {
  /**
   * The identity that is limited; default the client's address as the framework gives it (see `clientAddress`): behind
   * a proxy set express's or fastify's trusted-proxy option, or all clients share one limit.
   */
  readonly identityOf?: (request: Request) => string;
  readonly costOf?: (request: Request) => number;
}

const HTTP: Schema<RateLimitHttpOptions> = { identityOf: callback, costOf: callback };
const EXPRESS_STORE: Schema<ExpressRateLimitStoreOptions> = {
  client: required(client),
  prefix,
  timeoutMs: timeout,
  identityKey: key,
};

/**
 * Checks a request, sets the `RateLimit` headers and answers 429 when it is refused. True when it may go on.
 *
 * @example createServer(async (request, response) => { if (await enforceRateLimit(limiter, request, response)) handle(); });
 */
export async function enforceRateLimit<Request extends AddressedRequest>(
  limiter: RateLimiter,
  request: Request,
  response: ServerResponse,
  options: RateLimitHttpOptions<Request> = {},
): Promise<boolean> {
  checked(options, HTTP as Schema<typeof options>);
  argument(response, 'response', having('a ServerResponse', 'setHeader', 'end'));
  const decision = await decideRequest(limiter, request, options);
  for (const [name, value] of Object.entries(rateLimitHeaders(decision, limiter.limits)))
    response.setHeader(name, value);
  if (decision.allowed) return true;
  response.statusCode = 429;
  response.setHeader('Content-Type', 'application/problem+json');
  response.end(JSON.stringify({ title: 'Too many requests', status: 429 }));
  return false;
}

/** Middleware for express and connect. */
export function rateLimitMiddleware<Request extends AddressedRequest = IncomingMessage>(
  limiter: RateLimiter,
  options: RateLimitHttpOptions<Request> = {},
): (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void {
  checked(options, HTTP as Schema<typeof options>);
  return (request, response, next) => {
    enforceRateLimit(limiter, request, response, options).then((passed) => {
      if (passed) next();
    }, next);
  };
}

/** The parts of fastify's reply that the hook uses. */
interface FastifyReplyLike {
  header(name: string, value: string): unknown;
  code(status: number): { send(payload: unknown): unknown };
}

/** `onRequest` hook for fastify; the options' functions get fastify's request, with `ip` as `trustProxy` makes it. */
export function rateLimitHook<Request extends AddressedRequest = AddressedRequest>(
  limiter: RateLimiter,
  options: RateLimitHttpOptions<Request> = {},
): (request: Request, reply: FastifyReplyLike) => Promise<unknown> {
  checked(options, HTTP as Schema<typeof options>);
  return async (request, reply) => {
    const decision = await decideRequest(limiter, request, options);
    for (const [name, value] of Object.entries(rateLimitHeaders(decision, limiter.limits))) reply.header(name, value);
    if (decision.allowed) return undefined;
    return reply.code(429).send({ title: 'Too many requests', status: 429 });
  };
}

/** What a limiter says to a request. */
export function decideRequest<Request extends AddressedRequest>(
  limiter: RateLimiter,
  request: Request,
  { identityOf, costOf }: RateLimitHttpOptions<Request>,
): Promise<Decision> {
  argument(limiter, 'limiter', having('a RateLimiter', 'check'));
  if (identityOf === undefined && isBehindUntrustedProxy(request)) warnOfProxy();
  const identity = identityOf === undefined ? clientAddress(request) : identityOf(request);
  return limiter.check(identity, costOf?.(request) ?? 1);
}

let warnedOfProxy = false;
function warnOfProxy(): void {
  if (warnedOfProxy) return;
  warnedOfProxy = true;
  process.emitWarning(
    'A rate limit counts all clients of a proxy together: the request was forwarded, and the framework does not trust ' +
      'the proxy. Set express\'s "trust proxy" or fastify\'s "trustProxy" to its address, or give identityOf.',
    { code: 'REDKEEP_PROXY_NOT_TRUSTED' },
  );
}

/** Options of {@link ExpressRateLimitStore}. */
export interface ExpressRateLimitStoreOptions {
  readonly client: GuardClient;
  /** Before every key; default `limit:erl:`. */
  readonly prefix?: string;
  /** Milliseconds to wait for Redis; default 250. */
  readonly timeoutMs?: number;
  /** 32 bytes that hash what express-rate-limit counts (addresses). Without it, plain SHA-256. */
  readonly identityKey?: KeyMaterial;
}

/** Store for express-rate-limit 7 and 8: `rateLimit({ store: new ExpressRateLimitStore({ client }) })`. */
export class ExpressRateLimitStore {
  readonly prefix: string;
  /** Keys are shared between processes. */
  readonly localKeys = false;
  readonly #redis: Redis;
  readonly #identityKey: Uint8Array | undefined;
  #windowMs = 60_000;
  #rule = '60000';

  constructor(given: ExpressRateLimitStoreOptions) {
    const options = checked(given, EXPRESS_STORE);
    this.prefix = options.prefix ?? 'limit:erl:';
    this.#redis = new Redis(options.client, options.timeoutMs ?? 250);
    this.#identityKey = options.identityKey === undefined ? undefined : decodeKey(options.identityKey);
  }

  /** Called by express-rate-limit with its options. A count belongs to its rule: limits of other numbers count apart. */
  init(options: { readonly windowMs: number; readonly limit?: unknown }): void {
    const { windowMs, limit } = options;
    this.#windowMs = windowMs;
    this.#rule = typeof limit === 'number' ? `${windowMs}.${limit}` : String(windowMs);
  }

  async increment(key: string): Promise<{ totalHits: number; resetTime: Date }> {
    return this.#count(key, 1);
  }

  async decrement(key: string): Promise<void> {
    await this.#count(key, -1);
  }

  async get(key: string): Promise<{ totalHits: number; resetTime: Date } | undefined> {
    const name = this.#name(key);
    const hits = await this.#redis.read(name, 'GET');
    if (hits === null) return undefined;
    const left = Number(await this.#redis.read(name, 'PTTL'));
    return { totalHits: Number(String(hits)), resetTime: new Date(Date.now() + left) };
  }

  async resetKey(key: string): Promise<void> {
    await this.#redis.write(this.#name(key), 'DEL');
  }

  async #count(key: string, change: number): Promise<{ totalHits: number; resetTime: Date }> {
    const reply = await this.#redis.script(COUNT, [this.#name(key)], [String(change), String(this.#windowMs)]);
    const [totalHits, left] = listOf(reply) as [number, number];
    return { totalHits, resetTime: new Date(Date.now() + left) };
  }

  #name(key: string): string {
    argument(key, 'key', anyText);
    return `${this.prefix}${this.#rule}:${keyedHash(this.#identityKey, key)}`;
  }
}
