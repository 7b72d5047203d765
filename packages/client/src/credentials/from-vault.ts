import { readFile } from 'node:fs/promises';
import { performance } from '../clock.js';
import { InvalidOptionError, RedkeepError } from '../errors.js';
import { isLoopback } from '../network/host-class.js';
import {
  checkOptions,
  fields,
  interval,
  isObject,
  type Rule,
  required,
  type Schema,
  secret,
  text,
} from '../options/rules.js';
import type { CredentialsSource } from './credentials.js';
import { type Fetched, pollingSource } from './polling-source.js';
import { Secret } from './secret.js';

export interface VaultOptions {
  /** `https://vault.example:8200`; default the environment's VAULT_ADDR. */
  address?: string;
  /** Path of a KV version 2 secret, `secret/data/redis/app`. Or of a database role, `database/creds/redis-app`. */
  path: string;
  /** Fields of the secret; default `username` and `password`. */
  fields?: { username?: string; password?: string };
  /** How to log in; default the token in VAULT_TOKEN. */
  auth?:
    | { token: string | Secret }
    | { tokenFile: string }
    | { roleId: string; secretId: string | Secret; mount?: string };
  namespace?: string;
  /** Milliseconds between looks at a KV secret, which has no lease; default 60 000. */
  refreshIntervalMs?: number;
  /** Milliseconds for one request; default 5000. */
  timeoutMs?: number;
}

interface VaultReply {
  lease_id?: string;
  renewable?: boolean;
  /** Seconds. */
  lease_duration?: number;
  data?: Record<string, unknown> | null;
  auth?: { client_token: string; renewable?: boolean; lease_duration: number } | null;
}

const LOGINS = {
  token: fields(() => ({ token: required(secret) })),
  tokenFile: fields(() => ({ tokenFile: required(text) })),
  roleId: fields(() => ({ roleId: required(text), secretId: required(secret), mount: text })),
};
const login: Rule = (value, path) => {
  const given = isObject(value) ? value : {};
  LOGINS['token' in given ? 'token' : 'tokenFile' in given ? 'tokenFile' : 'roleId'](value, path);
};
const address: Rule = (value, path) => {
  if (typeof value !== 'string' || !URL.canParse(value))
    throw new InvalidOptionError(path, 'must be a URL, such as https://vault.example:8200');
};
const SCHEMA = {
  address,
  path: required(text),
  fields: fields(() => ({ username: text, password: text })),
  auth: login,
  namespace: text,
  refreshIntervalMs: interval,
  timeoutMs: interval,
} satisfies Schema & Record<keyof VaultOptions, unknown>;

/** Share of a lifetime after which it is renewed. */
const RENEW_AT = 2 / 3;
/** A renewal that gives less than this share of what was asked for has reached the lease's maximum: time for new ones. */
const WORTHWHILE = 1 / 2;

/**
 * Credentials from HashiCorp Vault: a KV version 2 secret, looked at again every `refreshIntervalMs`, or a secret with a
 * lease (database engine), whose lease is renewed at two thirds of its time as long as Vault allows; then new ones are
 * fetched. An AppRole's token is renewed the same way. Plain http is refused unless Vault is on this machine.
 * @throws InvalidOptionError
 * @throws RedkeepError REDKEEP_CREDENTIALS_UNAVAILABLE; Vault's answer is not repeated, it may hold secrets
 * @example
 * createClient({ credentialsProvider: fromVault({ path: 'secret/data/redis/app', auth: { roleId, secretId } }) });
 */
export function fromVault(options: VaultOptions): CredentialsSource {
  checkOptions(options, SCHEMA);
  const address = options.address ?? process.env.VAULT_ADDR;
  if (address === undefined) throw unavailable('no address: give `address` or set VAULT_ADDR');
  SCHEMA.address(address, 'address (VAULT_ADDR)');
  const base = new URL(address);
  if (base.protocol !== 'https:' && !isLoopback(base.hostname)) {
    throw unavailable('the address is not https: the token would be readable on the way');
  }
  const { fields = {}, timeoutMs = 5000 } = options;
  let login: { token: Secret; renewable: boolean; seconds: number; until: number } | undefined;
  let lease: { id: string; seconds: number; data: Record<string, unknown> } | undefined;

  const request = async (path: string, token: Secret | undefined, body?: object): Promise<VaultReply> => {
    const headers: Record<string, string> = { 'X-Vault-Request': 'true' };
    if (token !== undefined) headers['X-Vault-Token'] = token.reveal();
    if (options.namespace !== undefined) headers['X-Vault-Namespace'] = options.namespace;
    const response = await fetch(new URL(`/v1/${path.replace(/^\/+/, '')}`, base), {
      // Renewals and logins are documented as POST (or PUT), reads as GET.
      method: body === undefined ? 'GET' : 'POST',
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    }).catch((error) => {
      throw unavailable('Vault cannot be reached', error);
    });
    if (!response.ok) throw unavailable(`Vault answered ${response.status} for ${path}`);
    return (await response.json()) as VaultReply;
  };

  const token = async (): Promise<Secret> => {
    const { auth } = options;
    if (auth === undefined) {
      if (process.env.VAULT_TOKEN === undefined) throw unavailable('no login: give `auth` or set VAULT_TOKEN');
      return new Secret(process.env.VAULT_TOKEN);
    }
    if ('token' in auth) return Secret.from(auth.token);
    if ('tokenFile' in auth) return new Secret((await readFile(auth.tokenFile, 'utf8')).trim());
    if (login !== undefined && performance.now() < login.until) return login.token;
    const renewed = login?.renewable ? await renewLogin(login) : undefined;
    login = renewed ?? (await newLogin(auth));
    return login.token;
  };

  const newLogin = async (auth: { roleId: string; secretId: string | Secret; mount?: string }) => {
    const reply = await request(`auth/${auth.mount ?? 'approle'}/login`, undefined, {
      role_id: auth.roleId,
      secret_id: Secret.from(auth.secretId).reveal(),
    });
    if (!reply.auth) throw unavailable('Vault gave no token');
    return loginOf(reply.auth.client_token, reply.auth);
  };

  /** Undefined when it cannot be, or no longer much: then a new login is due. */
  const renewLogin = async ({ token, seconds }: NonNullable<typeof login>) => {
    const reply = await request('auth/token/renew-self', token, {}).catch(() => undefined);
    if (!reply?.auth || reply.auth.lease_duration < seconds * WORTHWHILE) return undefined;
    return { ...loginOf(token.reveal(), reply.auth), seconds };
  };

  const renewLease = async (token: Secret): Promise<VaultReply | undefined> => {
    if (lease === undefined) return undefined;
    const { id, seconds, data } = lease;
    const reply = await request('sys/leases/renew', token, { lease_id: id, increment: seconds }).catch(() => undefined);
    if (reply?.lease_duration === undefined || reply.lease_duration < seconds * WORTHWHILE) return undefined;
    return { ...reply, data };
  };

  const read = async (token: Secret): Promise<VaultReply> => {
    const reply = await request(options.path, token);
    const { lease_id: id, renewable, lease_duration: seconds, data } = reply;
    lease = id && renewable && seconds && data ? { id, seconds, data } : undefined;
    return reply;
  };

  const source = pollingSource(async (): Promise<Fetched> => {
    const by = await token();
    const reply = (await renewLease(by)) ?? (await read(by));
    // KV version 2 wraps the fields once more.
    const data = (typeof reply.data?.data === 'object' ? reply.data.data : reply.data) as
      | Record<string, unknown>
      | null
      | undefined;
    const username = data?.[fields.username ?? 'username'];
    const password = data?.[fields.password ?? 'password'];
    if (typeof password !== 'string') throw unavailable(`the secret has no field ${fields.password ?? 'password'}`);
    return {
      credentials: { username: typeof username === 'string' ? username : undefined, password: new Secret(password) },
      validFor:
        reply.lease_duration !== undefined && reply.lease_duration > 0 ? reply.lease_duration * 1000 : undefined,
    };
  }, options.refreshIntervalMs ?? 60_000);
  return {
    ...source,
    refused(credentials) {
      // The lease was revoked, or the server forgot its user: renewing it has no effect.
      lease = undefined;
      source.refused?.(credentials);
    },
  };
}

function loginOf(token: string, { renewable = false, lease_duration: seconds }: NonNullable<VaultReply['auth']>) {
  // A token of no duration (root, periodic without limit) does not end.
  const until = seconds > 0 ? performance.now() + seconds * 1000 * RENEW_AT : Number.POSITIVE_INFINITY;
  return { token: new Secret(token), renewable, seconds, until };
}

function unavailable(why: string, cause?: unknown): RedkeepError {
  return new RedkeepError(
    'REDKEEP_CREDENTIALS_UNAVAILABLE',
    `Vault: ${why}`,
    cause === undefined ? undefined : { cause },
  );
}
