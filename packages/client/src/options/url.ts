/** A server's URL, taken apart. Nothing but an address and credentials is read from it. */
import type { Endpoint } from '../connection/transport.js';
import { InvalidOptionError } from '../errors.js';

export interface ParsedUrl {
  readonly endpoint: Endpoint;
  readonly tls: boolean | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number | undefined;
}

const SCHEMES: Readonly<Record<string, boolean>> = {
  'redis:': false,
  'valkey:': false,
  'rediss:': true,
  'valkeys:': true,
};

/** No error contains the URL itself: it can hold a password. */
export function parseUrl(text: string, option = 'url'): ParsedUrl {
  // `unix://user:password@/path` has credentials but no host, which URL refuses.
  // It has no path for the database either, so `?db=` says that, and nothing else is read from a query.
  const unix = /^unix:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?(\/[^?#]+)(?:\?db=(\d{1,6}))?$/i.exec(text);
  if (unix !== null) {
    return {
      endpoint: { kind: 'unix', path: decode(unix[3]!, option) },
      tls: false,
      username: decode(unix[1] ?? '', option) || undefined,
      password: decode(unix[2] ?? '', option) || undefined,
      database: unix[4] === undefined ? undefined : Number(unix[4]),
    };
  }
  let url: URL;
  try {
    url = new URL(/^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `none://${text}`);
  } catch {
    throw new InvalidOptionError(option, 'is not a URL of the form rediss://user:password@host:port/database');
  }
  if (url.hash !== '')
    throw new InvalidOptionError(option, 'has a fragment; a # in the user name or password is written %23');
  // Hosting platforms hand out URLs with it. It says how a name is resolved, and nothing that protects.
  const family = /^\?family=([046])$/.exec(url.search)?.[1];
  if (url.search !== '' && family === undefined) {
    throw new InvalidOptionError(
      option,
      'has a query; options are not read from URLs, because anyone who controls a part of the URL would control them',
    );
  }
  const username = decode(url.username, option) || undefined;
  const password = decode(url.password, option) || undefined;
  const tls = SCHEMES[url.protocol];
  if (tls === undefined && url.protocol !== 'none:') {
    throw new InvalidOptionError(
      option,
      'has an unknown scheme; use rediss://, valkeys://, redis://, valkey:// or unix://',
    );
  }
  const path = url.pathname.slice(1);
  if (path !== '' && !/^\d{1,6}$/.test(path))
    throw new InvalidOptionError(option, 'has a path that is not a database number');
  return {
    endpoint: {
      kind: 'tcp',
      host: decode(url.hostname.replace(/^\[|\]$/g, ''), option) || 'localhost',
      port: url.port === '' ? 6379 : Number(url.port),
      ...(family === undefined ? {} : { family: Number(family) }),
    },
    tls,
    username,
    password,
    database: path === '' ? undefined : Number(path),
  };
}

function decode(part: string, option: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new InvalidOptionError(option, 'has a malformed percent escape');
  }
}
