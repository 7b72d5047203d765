import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, isIP } from 'node:net';
import { isLoopback } from 'redkeep';
import { contentType } from '../metrics/exposition.js';
import type { Monitor } from '../monitor.js';
import { loginPage, monitorContent, monitorPage, pageScript, pageStyle } from './page.js';

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  /** Names beside addresses of this machine under which the server may be called. */
  readonly names: readonly string[];
  /** Serves HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Scrapes must carry `Authorization: Bearer …`. */
  readonly token?: string;
  /** Serves the page, for who knows this password. */
  readonly pagePassword?: string;
  readonly now: () => number;
}

const sessionMs = 12 * 3_600_000;
/** Logins a minute, from everywhere together: a person needs one. */
const loginsAMinute = 10;
const bodyBytes = 4096;
const cookieName = 'redkeep_monitor';

const headers = {
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  // With no-referrer, browsers would send `Origin: null` with the page's own forms.
  'referrer-policy': 'same-origin',
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
} as const;

/** Serves metrics and the live page. Resolves when it listens. */
export async function serve(
  monitor: Monitor,
  options: ServeOptions,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const site = new Site(monitor, options);
  const handle = (request: IncomingMessage, response: ServerResponse) => void site.answer(request, response);
  const server: Server = options.tls ? createHttps(options.tls, handle) : createHttp(handle);
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  server.maxConnections = 256;
  server.listen(options.port, options.host);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      site.close();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

class Site {
  readonly #monitor: Monitor;
  readonly #options: ServeOptions;
  /** Hashes of session ids, with their end. */
  readonly #sessions = new Map<string, number>();
  readonly #streams = new Set<ServerResponse>();
  readonly #stop: () => void;
  #logins: number[] = [];

  constructor(monitor: Monitor, options: ServeOptions) {
    this.#monitor = monitor;
    this.#options = options;
    this.#stop = monitor.onRound(() => {
      for (const stream of this.#streams) stream.write('data: round\n\n');
    });
  }

  close(): void {
    this.#stop();
    for (const stream of this.#streams) stream.end();
  }

  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#route(request, response);
    } catch {
      // What failed is the round or the connection; neither is the caller's to read.
      if (!response.headersSent) send(response, 500, 'text/plain', 'The monitor could not answer.\n');
      else response.destroy();
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A web page that has its own name resolve to this machine must not read what only this machine may.
    if (!this.#knowsHost(request.headers.host)) return send(response, 421, 'text/plain', 'Unknown host name.\n');
    const [address, base] = [request.url ?? '/', 'http://localhost'] as const;
    if (!URL.canParse(address, base)) return send(response, 400, 'text/plain', 'The address is not one.\n');
    const url = new URL(address, base);
    if (request.method === 'POST' && !isFromHere(request))
      return send(response, 403, 'text/plain', 'The form is of another site.\n');
    const route = `${request.method} ${url.pathname}`;
    switch (route) {
      case 'GET /-/healthy':
      case 'GET /health':
        return send(response, 200, 'text/plain', 'ok\n');
      case 'GET /-/ready':
        return this.#monitor.views().length > 0
          ? send(response, 200, 'text/plain', 'ok\n')
          : send(response, 503, 'text/plain', 'no round is over yet\n');
      case 'GET /metrics':
      case 'GET /scrape':
        return this.#scrape(request, response, url);
      default:
        return this.#options.pagePassword === undefined
          ? send(response, 404, 'text/plain', 'Metrics are at /metrics and /scrape?target=NODE.\n')
          : this.#page(route, request, response);
    }
  }

  async #scrape(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const { token } = this.#options;
    if (token !== undefined && !sameText(request.headers.authorization ?? '', `Bearer ${token}`)) {
      response.setHeader('www-authenticate', 'Bearer');
      return send(response, 401, 'text/plain', 'A scrape needs the token.\n');
    }
    await this.#monitor.refresh();
    if (url.pathname === '/metrics') return send(response, 200, contentType, await this.#monitor.metrics());
    // Only servers that the monitor was given: a target of the caller's choice would be sent the password.
    const text = await this.#monitor.metricsOf(url.searchParams.get('target') ?? '');
    return text === undefined
      ? send(response, 400, 'text/plain', 'The target is not one of the servers that are watched.\n')
      : send(response, 200, contentType, text);
  }

  async #page(route: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { now } = this.#options;
    switch (route) {
      case 'GET /page.css':
        return send(response, 200, 'text/css', pageStyle);
      case 'GET /page.js':
        return send(response, 200, 'text/javascript', pageScript);
      case 'POST /login':
        return this.#login(request, response);
      default:
    }
    const session = this.#session(request);
    if (session === undefined)
      return route === 'GET /'
        ? send(response, 200, 'text/html', loginPage())
        : send(response, 401, 'text/plain', 'Log in first.\n');
    switch (route) {
      case 'GET /':
        return send(response, 200, 'text/html', monitorPage(this.#monitor, now()));
      case 'GET /content':
        return send(response, 200, 'text/html', monitorContent(this.#monitor, now()));
      case 'GET /live':
        response.writeHead(200, { ...headers, 'content-type': 'text/event-stream' });
        response.write('retry: 3000\n\n');
        this.#streams.add(response);
        response.once('close', () => this.#streams.delete(response));
        return;
      case 'POST /logout':
        this.#sessions.delete(session);
        response.setHeader('set-cookie', this.#cookie('', 0));
        return redirect(response, '/');
      default:
        return send(response, 404, 'text/plain', 'There is no such page.\n');
    }
  }

  async #login(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const now = this.#options.now();
    this.#logins = this.#logins.filter((at) => now - at < 60_000);
    if (this.#logins.length >= loginsAMinute)
      return send(response, 429, 'text/html', loginPage('Too many logins. Wait a minute.'));
    this.#logins.push(now);
    const body = await readBody(request);
    if (body === undefined) {
      response.setHeader('connection', 'close');
      return send(response, 413, 'text/plain', 'The form is too long.\n');
    }
    const form = new URLSearchParams(body);
    if (!sameText(form.get('password') ?? '', this.#options.pagePassword!))
      return send(response, 401, 'text/html', loginPage('The password is wrong.'));
    const id = randomBytes(32).toString('base64url');
    for (const [key, end] of this.#sessions) if (end <= now) this.#sessions.delete(key);
    this.#sessions.set(hash(id), now + sessionMs);
    response.setHeader('set-cookie', this.#cookie(id, sessionMs / 1000));
    redirect(response, '/');
  }

  #cookie(id: string, seconds: number): string {
    const secure = this.#options.tls ? '; Secure' : '';
    return `${cookieName}=${id}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
  }

  /** The key of the caller's session, while it lasts. */
  #session({ headers: { cookie = '' } }: IncomingMessage): string | undefined {
    const id = cookie
      .split(/; */)
      .map((pair) => pair.split('='))
      .find(([name]) => name === cookieName)?.[1];
    if (!id) return undefined;
    const key = hash(id);
    const end = this.#sessions.get(key);
    return end !== undefined && end > this.#options.now() ? key : undefined;
  }

  #knowsHost(host: string | undefined): boolean {
    if (host === undefined) return false;
    const name = host
      .replace(/:\d+$/, '')
      .replace(/^\[|\]$/g, '')
      .toLowerCase();
    return isIP(name) !== 0 || isLoopback(name) || this.#options.names.includes(name);
  }
}

/**
 * Browsers name the origin of every form. `SameSite` alone would let in pages of other ports of this machine, which count as
 * the same site. Programs send no origin, and no cookie that they were not given.
 */
function isFromHere({ headers: { origin, host } }: IncomingMessage): boolean {
  return origin === undefined || origin === `http://${host}` || origin === `https://${host}`;
}

/** The form; undefined when it is longer than any that this page has. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  let text = '';
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.length > bodyBytes) return undefined;
  }
  return text;
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const charset = type.includes('charset') ? type : `${type}; charset=utf-8`;
  response.writeHead(status, { ...headers, 'content-type': charset }).end(text);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(303, { ...headers, location }).end();
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Compares in a time that does not depend on where the texts differ. */
function sameText(given: string, wanted: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}
