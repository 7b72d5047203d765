/** The accounts example in a real browser, against two real servers: one for the data, one for the person keys. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  AuditReader,
  AuditTrail,
  CsrfTokens,
  Encryption,
  keysFromValue,
  LoginThrottle,
  localWrapper,
  OneTimeTokens,
  PersonKeys,
  redisKeyStore,
  SessionCookie,
  Sessions,
} from '@redkeep/guard';
import { browserPath, type Server, sharedPki, startServer } from '@redkeep/testing';
import { type Browser, chromium, type Page } from 'playwright-core';
import { createClient, RESP_TYPES, type RedisClient } from 'redkeep';
import { account, accountsApp, type Visit } from './app.js';

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
  const links: string[] = [];

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
    const { server: credential } = await sharedPki();
    const web = createServer({ cert: credential.cert, key: credential.key }).listen(0, '127.0.0.1');
    await once(web, 'listening');
    base = `https://localhost:${(web.address() as AddressInfo).port}/`;
    const app = accountsApp({
      client,
      accounts: new Map([['ana', await account('correct horse', randomBytes(16))]]),
      sessions: new Sessions<Visit>({ client, encryption, onRefused: (reason) => refusals.push(reason) }),
      cookie: new SessionCookie(),
      throttle: new LoginThrottle({ client, key: secret(), account: { free: 8 } }),
      tokens: new OneTimeTokens({ client, encryption, key: secret() }),
      csrf: new CsrfTokens({ keys: [secret()], origins: [base.slice(0, -1)] }),
      sendLink: (_user, path) => links.push(path),
      persons,
      trail,
      reader,
    });
    web.on('request', app);
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
  const sessionCookie = async (page: Page) =>
    (await page.context().cookies()).find(({ name }) => name === '__Host-sid')!;
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

  test('a link logs in once, when its button is pressed, and not when a scanner opens it', async () => {
    const page = await visitor();
    await page.fill('#link-user', 'ana');
    await page.click('#send-link');
    const link = new URL(links.at(-1)!, base).href;
    const scanner = await visitor('Mail scanner');
    await scanner.goto(link);
    assert.equal(await hello(scanner), 0);
    await page.goto(link);
    await page.click('#redeem');
    assert.equal(await page.textContent('#hello'), 'Hello ana');
    await scanner.goto(link);
    await scanner.click('#redeem');
    assert.equal(await scanner.textContent('#message'), 'This link was used or is too old');
    const sent = links.length;
    await scanner.goto(base);
    await scanner.fill('#link-user', 'nobody');
    await scanner.click('#send-link');
    assert.equal(links.length, sent);
    await page.goto(base);
    await page.click('#logout-everywhere');
  });

  test('devices are listed and ended one by one', async () => {
    const [laptop, phone] = [await visitor('Laptop'), await visitor('Phone')];
    await logIn(laptop);
    await logIn(phone);
    await laptop.goto(`${base}devices`);
    assert.deepEqual(
      (await laptop.locator('.device').allTextContents()).map((text) => text.trim()),
      ['Laptop this device', 'Phone End'],
    );
    await laptop.click('.end');
    await phone.goto(base);
    await laptop.goto(base);
    assert.deepEqual([await hello(phone), await hello(laptop)], [0, 1]);
    await laptop.click('#logout');
  });

  test('guessing is slowed down everywhere but on the owner’s device', async () => {
    const owner = await visitor('Owner');
    await logIn(owner);
    await owner.click('#logout');
    const thief = await visitor('Thief');
    let refused = '';
    for (let i = 0; i < 12 && refused !== 'Too many attempts'; i++) {
      await thief.goto(base);
      await logIn(thief, `guess ${i}`);
      refused = (await thief.textContent('#message')) ?? '';
    }
    assert.equal(refused, 'Too many attempts');
    await logIn(owner);
    assert.equal(await hello(owner), 1);
    await owner.click('#logout');
  });

  test('a form of another site or another session changes nothing', async () => {
    const page = await visitor();
    await logIn(page);
    const evil = await visitor();
    const post = (target: Page, headers: Record<string, string>, token: string) =>
      target.request.post(`${base}note`, { form: { note: 'forged', _csrf: token }, headers });
    const token = await page.getAttribute('[name=_csrf]', 'value');
    const foreign = await evil.getAttribute('[name=_csrf]', 'value');
    assert.equal((await post(page, { origin: 'https://evil.example' }, token!)).status(), 403);
    assert.equal((await post(page, { origin: base.slice(0, -1) }, foreign!)).status(), 403);
    await page.goto(base);
    assert.notEqual(await page.textContent('#note'), 'forged');
    await page.click('#logout');
  });

  test('a person takes along everything that is kept about them', async () => {
    const page = await visitor('Exporter');
    await logIn(page);
    await page.fill('[name=note]', 'mine');
    await page.click('#save');
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('#export')]);
    const data = JSON.parse(await readFile(await download.path(), 'utf8'));
    assert.deepEqual([data.user, data.note, data.devices[0].device], ['ana', 'mine', 'Exporter']);
    assert.ok(data.audit.some((entry: { action: string }) => entry.action === 'note.write'));
    await page.click('#logout');
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
