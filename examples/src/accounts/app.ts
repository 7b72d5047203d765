/**
 * Accounts: log in by password or by a link, keep a private note, see and end the devices you are logged in on, take your
 * data with you, erase it. Express with Redkeep's sessions, login throttle, one-time tokens, CSRF tokens, encryption and
 * audit trail.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type AuditReader,
  type AuditTrail,
  type CsrfTokens,
  clientAddress,
  type LoginThrottle,
  type OneTimeTokens,
  type PersonKeys,
  requestFingerprint,
  type Session,
  SessionCookie,
  type Sessions,
} from '@redkeep/guard';
import express, { type Express, type Request, type Response } from 'express';
import { RESP_TYPES, type RedisClient } from 'redkeep';
import { devicePage, home, linkPage, loginForm, page } from './pages.js';

export interface Account {
  readonly salt: Buffer;
  /** scrypt of the password, 32 bytes. */
  readonly hash: Buffer;
}

/** What a session holds. */
export interface Visit {
  readonly visits: number;
}

export interface AccountsOptions {
  readonly client: RedisClient;
  readonly accounts: ReadonlyMap<string, Account>;
  readonly sessions: Sessions<Visit>;
  readonly cookie: SessionCookie;
  readonly throttle: LoginThrottle;
  readonly tokens: OneTimeTokens;
  readonly csrf: CsrfTokens;
  /** Sends the path of a link to its account. */
  readonly sendLink: (user: string, path: string) => void;
  readonly persons: PersonKeys;
  readonly trail: AuditTrail;
  readonly reader: AuditReader;
}

const NOTE_SECONDS = 3600;
const LINK = 'magic-link';
const derive = promisify(scrypt) as (password: string, salt: Buffer, bytes: number) => Promise<Buffer>;

/** What to store for a new account. */
export async function account(password: string, salt: Buffer): Promise<Account> {
  return { salt, hash: await derive(password, salt, 32) };
}

export function accountsApp(options: AccountsOptions): Express {
  const { client, accounts, sessions, cookie, throttle, tokens, csrf, persons, trail, reader } = options;
  const deviceCookie = new SessionCookie({ name: 'device', maxAgeMs: 86_400_000 });
  const app = express();
  app.disable('x-powered-by');
  app.use(express.urlencoded({ extended: false, limit: '10kb' }));
  const bytes = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });

  const present = (request: Request): Promise<Session<Visit> | undefined> => {
    const id = cookie.read(request.headers.cookie);
    return id === undefined
      ? Promise.resolve(undefined)
      : sessions.load(id, { fingerprint: requestFingerprint(request) });
  };
  /** The session of a visitor, made before the login as shops have it: the id changes when the visitor logs in. */
  const visitorOf = async (request: Request, response: Response): Promise<Session<Visit>> => {
    const session = await present(request);
    if (session !== undefined) return session;
    const made = await sessions.create({ data: { visits: 1 }, fingerprint: requestFingerprint(request) });
    response.append('Set-Cookie', cookie.serialize(made.id));
    return made;
  };
  const logIn = async (before: Session<Visit>, user: string, request: Request, response: Response): Promise<void> => {
    const device = String(request.headers['user-agent'] ?? 'Unknown device');
    const session = await sessions.rotate(before, { user, device });
    response.append('Set-Cookie', cookie.serialize(session.id));
    response.redirect(303, '/');
  };
  const placeOf = (user: string) => ({ space: 'notes', key: `note:${persons.pseudonym(user)}` });
  const readNote = async (user: string): Promise<string> => {
    const place = placeOf(user);
    const sealed = await bytes.get(place.key);
    return sealed === null ? '' : (await persons.sealer(user).open(sealed, place)).toString();
  };
  const fieldOf = (request: Request, name: string) => String((request.body as Record<string, unknown>)[name] ?? '');

  app.get('/', async (request, response) => {
    const session = await visitorOf(request, response);
    const token = csrf.issue(session.id);
    const { user } = session;
    response.send(user === undefined ? page(loginForm(token)) : page(home(user, await readNote(user), token)));
  });

  /** Routes that change something: for a session, and from a page of it. */
  const change = (
    path: string,
    handle: (session: Session<Visit>, request: Request, response: Response) => Promise<void>,
  ) =>
    app.post(path, async (request, response) => {
      const session = await present(request);
      if (session === undefined || !csrf.check(request, session.id, fieldOf(request, '_csrf')))
        return void response.status(403).send(page('<p id="message">This page is too old: <a href="/">again</a></p>'));
      await handle(session, request, response);
    });

  change('/login', async (session, request, response) => {
    const [user, password] = [fieldOf(request, 'user'), fieldOf(request, 'password')];
    const address = clientAddress(request);
    const device = deviceCookie.read(request.headers.cookie);
    const attempt = user === '' ? undefined : await throttle.begin({ account: user, address, device });
    if (attempt?.allowed === false)
      return void response.status(429).send(page('<p id="message">Too many attempts</p>'));
    const known = accounts.get(user);
    // An unknown user costs as much time as a wrong password.
    const hash = await derive(password, known?.salt ?? Buffer.alloc(16), 32);
    const right = attempt !== undefined && known !== undefined && timingSafeEqual(hash, known.hash);
    void trail.record({
      actor: user.slice(0, 64),
      actorKind: right ? 'person' : 'unauthenticated',
      action: 'login',
      from: address,
      outcome: right ? 'success' : 'denied',
    });
    if (!right) {
      const again = `<p id="message">Wrong name or password</p>${loginForm(csrf.issue(session.id))}`;
      return void response.status(401).send(page(again));
    }
    response.append('Set-Cookie', deviceCookie.serialize(await attempt.succeeded()));
    await logIn(session, user, request, response);
  });

  change('/link', async (_session, request, response) => {
    const user = fieldOf(request, 'user');
    if (accounts.has(user))
      options.sendLink(user, `/link/${await tokens.issue({ purpose: LINK, subject: user, ttlMs: 900_000 })}`);
    // The same for an account that does not exist.
    response.send(page('<p id="message">If there is such an account, a link is on its way</p>'));
  });
  // Mail scanners open links: opening shows a button, pressing it redeems.
  app.get('/link/:token', async (request, response) => {
    const session = await visitorOf(request, response);
    // Not "no-referrer": browsers would send the form with the origin "null".
    response.set('Referrer-Policy', 'same-origin');
    response.send(page(linkPage(request.params.token, csrf.issue(session.id))));
  });
  change('/link/redeem', async (session, request, response) => {
    const redeemed = await tokens.redeem(LINK, fieldOf(request, 'token'));
    if (redeemed === undefined)
      return void response.status(401).send(page('<p id="message">This link was used or is too old</p>'));
    void trail.record({ actor: redeemed.subject, action: 'login.link', from: clientAddress(request) });
    await logIn(session, redeemed.subject, request, response);
  });

  /** Routes for users who are logged in. */
  const own = (
    path: string,
    handle: (session: Session<Visit> & { user: string }, request: Request, response: Response) => Promise<unknown>,
  ) =>
    change(path, async (session, request, response) => {
      if (session.user === undefined) return void response.status(401).send(page(loginForm(csrf.issue(session.id))));
      await handle(session as Session<Visit> & { user: string }, request, response);
      if (!response.headersSent) response.redirect(303, '/');
    });

  own('/note', async ({ user }, request) => {
    const place = placeOf(user);
    const sealed = await persons.sealer(user).seal(fieldOf(request, 'note'), place);
    await client.set(place.key, sealed, { expiration: { type: 'EX', value: NOTE_SECONDS } });
    void trail.record({ actor: user, action: 'note.write', subject: user, from: clientAddress(request) });
  });
  app.get('/devices', async (request, response) => {
    const session = await present(request);
    if (session?.user === undefined) return response.redirect(303, '/');
    const list = await sessions.list(session.user, { current: session.id });
    response.send(page(devicePage(list, csrf.issue(session.id))));
  });
  own('/devices/end', async ({ user }, request, response) => {
    await sessions.end(user, fieldOf(request, 'handle'));
    void trail.record({ actor: user, action: 'session.end', from: clientAddress(request) });
    response.redirect(303, '/devices');
  });
  own('/logout', async ({ id, user }) => {
    await sessions.destroy(id);
    void trail.record({ actor: user, action: 'logout' });
  });
  own('/logout-everywhere', async ({ user }) => {
    await sessions.destroyAll(user);
    void trail.record({ actor: user, action: 'logout.everywhere' });
  });
  /** Everything that is kept about a person (GDPR articles 15 and 20). */
  own('/export', async ({ user }, request, response) => {
    const entries = [];
    for await (const entry of reader.aboutPerson(user)) entries.push(entry);
    void trail.record({ actor: user, action: 'person.export', subject: user, from: clientAddress(request) });
    response.attachment('my-data.json').json({
      user,
      note: await readNote(user),
      devices: await sessions.list(user),
      audit: entries,
    });
  });
  own('/erase', async ({ user }) => {
    const receipt = await persons.erase(user);
    await client.del(placeOf(user).key);
    await sessions.destroyAll(user);
    const details = { at: receipt.erasedAt };
    void trail.record({ actor: 'erasure', actorKind: 'service', action: 'person.erase', subject: user, details });
  });
  return app;
}
