/** Options as a client shows them: usable to create another client, but nothing in them prints a password. */

import { describeEndpoint } from '../connection/transport.js';
import { Secret } from '../credentials/secret.js';
import type { TlsOptions } from '../security/tls-policy.js';
import { CLIENT_SCHEMA, checkOptions } from './option-schema.js';
import type { ClientOptions } from './options.js';
import { type ParsedUrl, parseUrl } from './url.js';

const shown = new WeakMap<ClientOptions, ClientOptions>();

/** The address again, without the password. */
function urlOf({ endpoint, tls, username, database }: ParsedUrl): string | undefined {
  if (endpoint.kind === 'unix' || tls === undefined) return undefined;
  const user = username === undefined ? '' : `${encodeURIComponent(username)}@`;
  return `redis${tls ? 's' : ''}://${user}${describeEndpoint(endpoint)}${database === undefined ? '' : `/${database}`}`;
}

/** What was written to the options of a client, by path below them. */
export type OptionWritten = (path: readonly string[], value: unknown) => void;

/**
 * The options of one client, to be read and written: `onWritten` is called after each valid write.
 * @throws InvalidOptionError when a value is written that the option cannot have
 */
export function writableOptions(given: ClientOptions, onWritten: OptionWritten): ClientOptions {
  return writable(withoutText(given), [], onWritten);
}

/** A value that was written, as it may be printed. */
function shownValue(key: string, value: unknown): unknown {
  if (key === 'url') return urlOf(parseUrl(value as string));
  if (typeof value === 'object' && value !== null && (key === 'tls' || key === 'socket')) return withoutKey(value);
  const isSecret = key === 'password' || key === 'passphrase' || key === 'key';
  return isSecret && (typeof value === 'string' || Buffer.isBuffer(value)) ? Secret.from(String(value)) : value;
}

function writable<O extends object>(options: O, path: readonly string[], onWritten: OptionWritten): O {
  return new Proxy(options, {
    get(target, name, receiver) {
      const value: unknown = Reflect.get(target, name, receiver);
      return path.length === 0 && name === 'socket' && typeof value === 'object' && value !== null
        ? writable(value, ['socket'], onWritten)
        : value;
    },
    set(target, name, value) {
      const key = String(name);
      if ((target as Record<string, unknown>)[key] === value) return true;
      const at = [...path, key];
      checkOptions(
        at.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value),
        CLIENT_SCHEMA,
      );
      const kept = shownValue(key, value);
      Object.defineProperty(target, key, { value: kept, enumerable: true, writable: true, configurable: true });
      onWritten(at, value);
      return true;
    },
  });
}

export const SecretOptions = {
  /** The same object for the same options. */
  of(given: ClientOptions): ClientOptions {
    let options = shown.get(given);
    if (options === undefined) {
      options = Object.freeze(withoutText(given));
      shown.set(given, options);
    }
    return options;
  },
};

function withoutKey<O extends TlsOptions>({ key, passphrase, ...rest }: O): O {
  const hide = (value: string | Buffer | Secret) => Secret.from(Buffer.isBuffer(value) ? value.toString() : value);
  return {
    ...rest,
    ...(key === undefined ? {} : { key: hide(key) }),
    ...(passphrase === undefined ? {} : { passphrase: hide(passphrase) }),
  } as O;
}

function withoutText({ url, ...rest }: ClientOptions): ClientOptions {
  const options: ClientOptions = { ...rest };
  if (url !== undefined) {
    const { endpoint, tls, username, password, database } = parseUrl(url);
    const where = endpoint.kind === 'unix' ? { path: endpoint.path } : { host: endpoint.host, port: endpoint.port };
    options.socket = { ...where, ...(tls === undefined ? {} : { tls }), ...rest.socket };
    if (rest.username === undefined && username !== undefined) options.username = username;
    if (rest.password === undefined && password !== undefined) options.password = password;
    if (rest.database === undefined && database !== undefined) options.database = database;
    const shown = urlOf(parseUrl(url));
    if (shown !== undefined) options.url = shown;
  }
  if (options.password != null) options.password = Secret.from(options.password);
  if (typeof options.tls === 'object') options.tls = withoutKey(options.tls);
  if (options.socket !== undefined) options.socket = withoutKey(options.socket);
  return options;
}
