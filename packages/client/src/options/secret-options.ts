/** Options as a client shows them: usable to create another client, but nothing in them prints a password. */

import { Secret } from '../credentials/secret.js';
import type { TlsOptions } from '../security/tls-policy.js';
import type { ClientOptions } from './options.js';
import { parseUrl } from './url.js';

const shown = new WeakMap<ClientOptions, ClientOptions>();

export const SecretOptions = {
  /** The same object for the same options. */
  of(given: ClientOptions): ClientOptions {
    let options = shown.get(given);
    if (options === undefined) {
      options = withoutText(given);
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
  }
  if (options.password !== undefined) options.password = Secret.from(options.password);
  if (typeof options.tls === 'object') options.tls = withoutKey(options.tls);
  if (options.socket !== undefined) options.socket = withoutKey(options.socket);
  return Object.freeze(options);
}
