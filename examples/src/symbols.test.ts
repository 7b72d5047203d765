/** Every `@example` of a public symbol of @redkeep/guard compiles against what the package exports. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import * as guard from '@redkeep/guard';
import { compileFolder, emptyFolder, repository } from './testing/compile.js';

const sources = join(repository, 'packages', 'guard', 'src');

/** What examples take for granted. */
const PRELUDE = `
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
declare const [id, ip, json, email, secret]: string[];
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
`;

async function examples(): Promise<string[]> {
  const files = (await readdir(sources, { recursive: true })).filter((f) => f.endsWith('.ts') && !f.includes('.test.'));
  const found: string[] = [];
  for (const name of files.sort()) {
    const text = await readFile(join(sources, name), 'utf8');
    for (const [, comment] of text.matchAll(/\/\*\*([\s\S]*?)\*\//g)) {
      const [, example] = /\s@example\s([\s\S]*)/.exec(comment!) ?? [];
      if (example !== undefined) found.push(example.replace(/^\s*\* ?/gm, '').trim());
    }
  }
  return found;
}

test('every example of a symbol compiles', async () => {
  const folder = await emptyFolder('symbols');
  const all = await examples();
  assert.ok(all.length >= 15, `${all.length} examples`);
  for (const [at, code] of all.entries()) {
    const text = `import { ${Object.keys(guard).join(', ')} } from '@redkeep/guard';
${PRELUDE}
export async function example() {
${code}
}
`;
    await writeFile(join(folder, `example-${at}.ts`), text);
  }
  await compileFolder(folder, { noUnusedLocals: false, noUnusedParameters: false, noImplicitReturns: false });
});
