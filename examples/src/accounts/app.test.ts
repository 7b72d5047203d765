/** The accounts example in a real browser, against two real servers: one for the data, one for the person keys. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { accessSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  AuditReader,
  AuditTrail,
  Encryption,
  keysFromValue,
  localWrapper,
  PersonKeys,
  RateLimiter,
  redisKeyStore,
  SessionCookie,
  Sessions,
} from '@redkeep/guard';
import { type Server, sharedPki, startServer } from '@redkeep/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createClient, RESP_TYPES, type RedisClient } from 'redkeep';
import { account, accountsApp, type Visit } from './app.js';

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

function browserPath(): string {
  const named = process.env['REDKEEP_CHROMIUM'];
  for (const path of named === undefined ? CHROMIUM : [named]) {
    try {
      accessSync(path);
      return path;
    } catch {
      // The next one.
    }
  }
  throw new Error('No Chromium found: install it, or name it in REDKEEP_CHROMIUM');
}

describe('accounts in a browser', () => {
  const secret = () => randomBytes(32);
  const ending: (() => unknown)[] = [];
  let data: Server;
  let client: RedisClient;
  let trail: AuditTrail;
  let reader: AuditReader;
  let persons: PersonKeys;
  let browser: Browser;
  let base: string;
  const refusals: string[] = [];

  before(async () => {
    const keys = await startServer();
    data = await startServer();
    client = createClient({ url: data.url });
    const keysClient = createClient({ url: keys.url });
    await Promise.all([client.connect(), keysClient.connect()]);
    const ring = keysFromValue([secret()]);
    const encryption = new Encryption({ keys: ring, environment: 'example' });
    persons = new PersonKeys({
      encryption,
      wrapper: localWrapper(ring, 'example'),
      store: redisKeyStore(keysClient),
      data: client,
      pseudonymKey: secret(),
    });
    const folder = await mkdtemp(join(tmpdir(), 'accounts-'));
    const chainKey = secret();
    trail = new AuditTrail({ client, chainKey, persons, spool: { path: join(folder, 'audit.spool') } });
    reader = new AuditReader({ client, chainKey, persons });
    const app = accountsApp({
      client,
      accounts: new Map([['ana', await account('correct horse', randomBytes(16))]]),
      sessions: new Sessions<Visit>({ client, encryption, onRefused: (reason) => refusals.push(reason) }),
      cookie: new SessionCookie(),
      logins: new RateLimiter({
        client,
        onStoreError: 'deny',
        timeoutMs: 2000,
        limits: [{ name: 'login', limit: 10, periodMs: 3_600_000 }],
      }),
      persons,
      trail,
    });
    const { server: credential } = await sharedPki();
    const web = createServer({ cert: credential.cert, key: credential.key }, app).listen(0, '127.0.0.1');
    await once(web, 'listening');
    base = `https://localhost:${(web.address() as AddressInfo).port}/`;
    browser = await chromium.launch({ executablePath: browserPath(), args: ['--no-sandbox'] });
    ending.push(
      () => browser.close(),
      () => web.close() && web.closeAllConnections(),
      () => trail.close(),
      () => client.destroy(),
      () => keysClient.destroy(),
      () => data[Symbol.asyncDispose](),
      () => keys[Symbol.asyncDispose](),
      () => rm(folder, { recursive: true }),
    );
  });
  after(async () => {
    for (const end of ending) await end();
  });

  async function visitor(userAgent?: string): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...(userAgent && { userAgent }) });
    const page = await context.newPage();
    await page.goto(base);
    return page;
  }
  async function logIn(page: Page, password = 'correct horse'): Promise<void> {
    await page.fill('[name=user]', 'ana');
    await page.fill('[name=password]', password);
    await page.click('#login');
  }
  const sessionCookie = async (page: Page) => (await page.context().cookies())[0]!;
  const hello = (page: Page) => page.locator('#hello').count();

  test('logging in gives a new session id, in a cookie that scripts and other sites do not get', async () => {
    const page = await visitor();
    const before = await sessionCookie(page);
    await logIn(page, 'wrong');
    assert.equal(await page.textContent('#message'), 'Wrong name or password');
    await logIn(page);
    assert.equal(await page.textContent('#hello'), 'Hello ana');
    const cookie = await sessionCookie(page);
    assert.notEqual(cookie.value, before.value);
    assert.deepEqual([cookie.name, cookie.httpOnly, cookie.secure, cookie.sameSite], ['__Host-sid', true, true, 'Lax']);
    assert.equal(await page.evaluate('document.cookie'), '');
    await page.click('#logout');
    assert.equal(await hello(page), 0);
  });

  test('a stolen cookie in another browser is refused, and its owner goes on', async () => {
    const owner = await visitor();
    await logIn(owner);
    const thief = await visitor('Mozilla/5.0 (thief)');
    await thief.context().addCookies([await sessionCookie(owner)]);
    await thief.goto(base);
    assert.equal(await hello(thief), 0);
    assert.ok(refusals.includes('fingerprint'));
    await owner.goto(base);
    assert.equal(await hello(owner), 1);
  });

  test('logging out everywhere ends every browser', async () => {
    const [one, two] = [await visitor(), await visitor()];
    await logIn(one);
    await logIn(two);
    await one.click('#logout-everywhere');
    await two.goto(base);
    assert.deepEqual([await hello(one), await hello(two)], [0, 0]);
  });

  test('erasing leaves nothing readable, and the audit trail whole', async () => {
    const page = await visitor();
    await logIn(page);
    await page.fill('[name=note]', 'my <secret> note');
    await page.click('#save');
    assert.equal(await page.textContent('#note'), 'my <secret> note');
    const dump = async () => {
      const keys = (await data.command('KEYS', '*')) as string[];
      return (await Promise.all(keys.map((key) => data.command('DUMP', key)))).join();
    };
    assert.ok(!(await dump()).includes('secret'));
    const key = `note:${persons.pseudonym('ana')}`;
    const backup = await client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer }).get(key);
    const open = async () => persons.sealer('ana').open(backup!, { space: 'notes', key });
    assert.equal(String(await open()), 'my <secret> note');
    await page.click('#erase');
    assert.equal(await hello(page), 0);
    await assert.rejects(open, { code: 'REDKEEP_PERSON_ERASED' }, 'a copy from before cannot be read either');
    await trail.close();
    const report = await reader.verify();
    assert.equal(report.ok, true);
    for await (const entry of reader.aboutPerson('ana'))
      assert.deepEqual([entry.erased, entry.from], [true, undefined]);
  });
});
