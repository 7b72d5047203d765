/**
 * Accounts: log in, keep a private note, log out everywhere, erase my data. Express with Redkeep's sessions, rate
 * limit, encryption and audit trail.
 */
import { scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import {
  type AuditTrail,
  clientAddress,
  type PersonKeys,
  type RateLimiter,
  requestFingerprint,
  type Session,
  type SessionCookie,
  type Sessions,
} from '@redkeep/guard';
import express, { type Express, type Request, type Response } from 'express';
import { RESP_TYPES, type RedisClient } from 'redkeep';

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
  readonly logins: RateLimiter;
  readonly persons: PersonKeys;
  readonly trail: AuditTrail;
}

const NOTE_SECONDS = 3600;
const derive = promisify(scrypt) as (password: string, salt: Buffer, bytes: number) => Promise<Buffer>;

/** What to store for a new account. */
export async function account(password: string, salt: Buffer): Promise<Account> {
  return { salt, hash: await derive(password, salt, 32) };
}

export function accountsApp(options: AccountsOptions): Express {
  const { client, accounts, sessions, cookie, logins, persons, trail } = options;
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
  const give = (response: Response, session: Session<Visit>) =>
    response.append('Set-Cookie', cookie.serialize(session.id));
  const placeOf = (user: string) => ({ space: 'notes', key: `note:${persons.pseudonym(user)}` });
  const readNote = async (user: string): Promise<string> => {
    const place = placeOf(user);
    const sealed = await bytes.get(place.key);
    return sealed === null ? '' : (await persons.sealer(user).open(sealed, place)).toString();
  };

  app.get('/', async (request, response) => {
    let session = await present(request);
    if (session === undefined) {
      // A session before the login, as shops have: the id changes when the visitor logs in.
      session = await sessions.create({ data: { visits: 1 }, fingerprint: requestFingerprint(request) });
      give(response, session);
    }
    const { user } = session;
    response.send(user === undefined ? page(loginForm()) : page(home(user, await readNote(user))));
  });

  app.post('/login', async (request, response) => {
    const { user = '', password = '' } = request.body as Record<string, string>;
    const { allowed } = await logins.check(`${clientAddress(request)} ${user}`);
    const known = accounts.get(user);
    // An unknown user costs as much time as a wrong password.
    const hash = await derive(String(password), known?.salt ?? Buffer.alloc(16), 32);
    const right = known !== undefined && timingSafeEqual(hash, known.hash);
    const outcome = allowed && right ? 'success' : 'denied';
    void trail.record({ actor: String(user).slice(0, 64), action: 'login', from: clientAddress(request), outcome });
    if (!allowed) return void response.status(429).send(page('<p id="message">Too many attempts</p>'));
    if (!right) return void response.status(401).send(page(`<p id="message">Wrong name or password</p>${loginForm()}`));
    const fingerprint = requestFingerprint(request);
    const before = (await present(request)) ?? (await sessions.create({ data: { visits: 1 }, fingerprint }));
    give(response, await sessions.rotate(before, { user }));
    response.redirect(303, '/');
  });

  /** Routes for who is logged in. */
  const own = (path: string, handle: (session: Session<Visit> & { user: string }, request: Request) => Promise<void>) =>
    app.post(path, async (request, response) => {
      const session = await present(request);
      if (session?.user === undefined) return void response.status(401).send(page(loginForm()));
      await handle(session as Session<Visit> & { user: string }, request);
      response.redirect(303, '/');
    });

  own('/note', async ({ user }, request) => {
    const { note = '' } = request.body as Record<string, string>;
    const place = placeOf(user);
    const sealed = await persons.sealer(user).seal(String(note), place);
    await client.set(place.key, sealed, { expiration: { type: 'EX', value: NOTE_SECONDS } });
    void trail.record({ actor: user, action: 'note.write', subject: user, from: clientAddress(request) });
  });
  own('/logout', async ({ id, user }) => {
    await sessions.destroy(id);
    void trail.record({ actor: user, action: 'logout' });
  });
  own('/logout-everywhere', async ({ user }) => {
    await sessions.destroyAll(user);
    void trail.record({ actor: user, action: 'logout.everywhere' });
  });
  own('/erase', async ({ user }) => {
    const receipt = await persons.erase(user);
    await client.del(placeOf(user).key);
    await sessions.destroyAll(user);
    void trail.record({ actor: 'erasure', action: 'person.erase', subject: user, details: { at: receipt.erasedAt } });
  });
  return app;
}

function page(body: string): string {
  return `<!doctype html><html lang="en"><title>Accounts</title><main>${body}</main></html>`;
}

function loginForm(): string {
  return `<form method="post" action="/login"><label>Name <input name="user"></label>
<label>Password <input name="password" type="password"></label><button id="login">Log in</button></form>`;
}

function home(user: string, note: string): string {
  const button = (path: string, label: string) =>
    `<form method="post" action="/${path}"><button id="${path}">${label}</button></form>`;
  return `<h1 id="hello">Hello ${escapeHtml(user)}</h1><p id="note">${escapeHtml(note)}</p>
<form method="post" action="/note"><input name="note"><button id="save">Save</button></form>
${button('logout', 'Log out')}${button('logout-everywhere', 'Log out everywhere')}${button('erase', 'Erase my data')}`;
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
