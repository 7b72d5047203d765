/** Every `@example` of a public symbol compiles against what its package exports. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as guard from '@redkeep/guard';
import * as client from 'redkeep';
import { compileFolder, emptyFolder, repository } from './testing/compile.js';
import { symbolExamples, symbolProgram } from './testing/symbol-examples.js';

/** What the examples of each package take for granted. */
const PRELUDES = {
  client: `
import type { KeyObject } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ${Object.keys(client).join(', ')} } from 'redkeep';
declare const client: RedisClient;
declare const [admin, subscriber]: RedisClient[];
declare const pool: RedisClientPool;
declare const cluster: RedisCluster;
declare const [key, value, name, input, next, seen, sha256, secret, sentinelSecret, roleId, secretId]: string[];
declare const expiresAt: Date;
declare const response: ServerResponse;
declare function token(): Promise<string>;
declare function work(message: object): Promise<void>;
declare function readEverythingAgain(): Promise<void>;
declare function handle(message: string): void;
`,
  guard: `
import { ${Object.keys(guard).join(', ')} } from '@redkeep/guard';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { KeyObject } from 'node:crypto';
import fastifySession from '@fastify/session';
import type { Express } from 'express';
import session from 'express-session';
import type { FastifyInstance } from 'fastify';
import type { RedisClient } from 'redkeep';
import type { StandardSchema, SodiumNative, Session, KeyRing, SealContext } from '@redkeep/guard';
declare const client: RedisClient;
declare const keys: KeyRing;
declare const [key, chainKey]: Uint8Array[];
declare const [id, ip, json, email, secret, user, body, device, password, method, token]: string[];
declare const place: SealContext;
declare const expiration: { readonly type: 'EX'; readonly value: number };
declare const publicKey: KeyObject;
declare const encryption: Encryption;
declare const sessions: Sessions;
declare const persons: PersonKeys;
declare const limiter: RateLimiter;
declare const locks: Locks;
declare const visitor: Session<Record<string, unknown>>;
declare const cache: Cache;
declare const reader: AuditReader;
declare const throttle: LoginThrottle;
declare const tokens: OneTimeTokens & RefreshTokens;
declare const denylist: TokenDenylist;
declare const apiKeys: ApiKeys;
declare const once: IdempotencyKeys;
declare const semaphores: Semaphores;
declare const stopping: AbortSignal;
declare const claims: { readonly jti: string; readonly exp: number; readonly sub: string; readonly iat: number };
declare const card: string;
declare const form: { hidden(name: string, value: string): void };
declare const headers: { readonly origin?: string };
declare function charge(card: string): Promise<string>;
declare function runScheduler(options: { signal: AbortSignal }): Promise<void>;
declare function passwordIsRight(email: string, password: string): Promise<boolean>;
declare function setDeviceCookie(token: string): void;
declare function tooManyRequests(ms: number): void;
declare function unauthorized(): void;
declare function forbidden(): void;
declare const file: ReturnType<typeof anchorFile>;
declare const cookie: SessionCookie;
declare const sodium: SodiumNative;
declare const profile: { readonly name: string };
declare const Profile: StandardSchema<typeof profile>;
declare const db: { readonly users: { find(id: string): Promise<{ readonly name: string }> } };
declare const [request, response]: [IncomingMessage, ServerResponse];
declare const app: Express & FastifyInstance;
declare function alarm(text: string): void;
declare function handle(): void;
declare function logIn(): void;
declare function writeReport(options: { signal: AbortSignal; fencing: number }): Promise<void>;
`,
} as const;

for (const [name, prelude] of Object.entries(PRELUDES)) {
  test(`every example of a symbol of packages/${name} compiles`, async () => {
    const folder = await emptyFolder(`symbols-${name}`);
    const all = await symbolExamples(join(repository, 'packages', name, 'src'));
    assert.ok(all.length >= 15, `${all.length} examples`);
    for (const [at, code] of all.entries())
      await writeFile(join(folder, `example-${at}.ts`), symbolProgram(code, prelude));
    await compileFolder(folder, { noUnusedLocals: false, noUnusedParameters: false, noImplicitReturns: false });
  });
}
