import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseEnv } from 'node:util';
import type { Endpoint } from '../audit/gather/endpoint.js';
import type { Stage } from './connection-test.js';

/** What an application's environment says about its connection: where to, or why that is not known. */
export interface EnvironmentReading {
  /** Absent when a setting is so wrong that there is no address. */
  readonly endpoint?: Endpoint;
  /** The database that the address names. */
  readonly database?: number;
  /** One line for each setting that is wrong or doubtful; one `ok` line when there is none. */
  readonly stages: readonly Stage[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** The text of an env file (`.env`) as variables; quoting as Node's own `--env-file` reads it. */
export function variablesOf(text: string): Variables {
  return parseEnv(text.replace(/^\uFEFF/, ''));
}

/** What the text of an env file itself shows to be wrong, whatever it holds. Values appear in no line. */
export function doubtsOf(text: string): readonly Stage[] {
  const doubt = (detail: string, hint: string): Stage => ({ name: 'configuration', outcome: 'warning', detail, hint });
  const doubts: Stage[] = [];
  if (text.startsWith('\uFEFF'))
    doubts.push(
      doubt(
        'The file begins with a byte order mark, which other programs take for a part of the first name',
        'Save it as UTF-8 without BOM.',
      ),
    );
  for (const [, name = '', value = ''] of text.matchAll(/^\uFEFF?\s*(?:export\s+)?(REDIS_\w+)\s*=[ \t]*(.*)$/gm)) {
    if (/^[^"'`\s#][^#]*#/.test(value))
      doubts.push(
        doubt(
          `${name} has a # without quotes, and what follows it is a comment`,
          'Put the value into single quotes, or into a file: REDIS_PASSWORD_FILE.',
        ),
      );
    if (/\$\{?[A-Za-z_]\w*\}?/.test(value) && !value.startsWith("'"))
      doubts.push(
        doubt(
          `${name} refers to another variable, which only some readers of env files replace (Node does not)`,
          'Write the value itself.',
        ),
      );
  }
  return doubts;
}

/**
 * Reads `REDIS_URL`, `REDIS_HOST`, `REDIS_PORT`, `REDIS_USERNAME`, `REDIS_PASSWORD`, `REDIS_PASSWORD_FILE`, `REDIS_TLS`
 * and the `REDIS_TLS_*_FILE` variables as `createClient()` does, and looks for what people get wrong in them. Values
 * of passwords appear in no line.
 */
export async function readEnvironment(env: Variables, folder: string, timeoutMs: number): Promise<EnvironmentReading> {
  const stages: Stage[] = [];
  const fail = (detail: string, hint: string): void => {
    stages.push({ name: 'configuration', outcome: 'failed', detail, hint });
  };
  const doubt = (detail: string, hint: string): void => {
    stages.push({ name: 'configuration', outcome: 'warning', detail, hint });
  };
  const file = async (variable: string): Promise<string | undefined> => {
    const named = env[variable];
    if (!named) return undefined;
    try {
      return await readFile(path.resolve(folder, named), 'utf8');
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
      fail(
        `${variable} names ${named}, which cannot be read (${code})`,
        code === 'ENOENT'
          ? 'Correct the path; a relative one counts from the folder the application starts in.'
          : 'Check its owner and mode.',
      );
      return undefined;
    }
  };

  const address = addressOf(env, fail);
  const [passwordFile, ca, cert, key] = await Promise.all([
    file('REDIS_PASSWORD_FILE'),
    file('REDIS_TLS_CA_FILE'),
    file('REDIS_TLS_CERT_FILE'),
    file('REDIS_TLS_KEY_FILE'),
  ]);
  for (const [variable, text] of [
    ['REDIS_TLS_CA_FILE', ca],
    ['REDIS_TLS_CERT_FILE', cert],
  ] as const)
    if (text !== undefined && !isCertificate(text))
      fail(`${variable} is not a certificate`, 'It must be PEM text that begins with -----BEGIN CERTIFICATE-----.');
  if (
    (env['REDIS_TLS_CERT_FILE'] && !env['REDIS_TLS_KEY_FILE']) ||
    (!env['REDIS_TLS_CERT_FILE'] && env['REDIS_TLS_KEY_FILE'])
  )
    fail('A client certificate needs both files', 'Set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE.');

  const written = env['REDIS_PASSWORD'];
  if (written !== undefined && env['REDIS_PASSWORD_FILE'])
    doubt(
      'REDIS_PASSWORD and REDIS_PASSWORD_FILE are both set',
      'Keep one; the value in the environment is used here.',
    );
  if (written !== undefined && /^["']|["']$|\s$/.test(written))
    doubt(
      'REDIS_PASSWORD begins or ends with a quote or a blank',
      'Shells and env files treat quotes differently: write the bare password.',
    );
  if (address?.password !== undefined)
    doubt('The password is part of REDIS_URL', 'URLs end up in logs and process lists: use REDIS_PASSWORD_FILE.');
  const password = written ?? passwordFile?.replace(/\r?\n$/, '') ?? address?.password;
  if (password === '') fail('The password is empty', 'The variable or file is there and has no content.');
  const username = env['REDIS_USERNAME'] || address?.username;
  if (username !== undefined && password === undefined)
    doubt(`User ${username} has no password`, 'Set REDIS_PASSWORD_FILE, unless the user logs in by its certificate.');

  const wanted = env['REDIS_TLS'];
  const tls = wanted && !/^(0|false|no|off)$/i.test(wanted) ? true : (address?.tls ?? true);
  if (!tls && (ca !== undefined || cert !== undefined))
    doubt('TLS files are given, but the address says plaintext', 'Use rediss:// instead of redis://.');
  if (stages.every(({ outcome }) => outcome !== 'failed') && address)
    stages.unshift({
      name: 'configuration',
      outcome: 'ok',
      detail: `${address.host}:${address.port}, ${tls ? 'TLS' : 'plaintext'}, ${password === undefined ? 'no password' : `user ${username ?? 'default'}`}`,
    });
  return {
    stages,
    ...(address?.database !== undefined && { database: address.database }),
    ...(address && {
      endpoint: {
        host: address.host,
        port: address.port,
        tls,
        timeoutMs,
        ...(ca !== undefined && { ca }),
        ...(cert !== undefined && { cert }),
        ...(key !== undefined && { key }),
        ...(username !== undefined && { username }),
        ...(password !== undefined && { password }),
      },
    }),
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
  readonly tls?: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly database?: number;
}

/** Undefined where a % is followed by something else than two hexadecimal digits. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Names that people give to the address, and that the client does not read. */
function otherNames(env: Variables): string[] {
  return Object.keys(env).filter((name) =>
    /^(?:REDIS|VALKEY|CACHE)_?(?:URI|URL|DSN|HOST|SERVER|ADDR|ADDRESS|ENDPOINT)$/.test(name),
  );
}

function addressOf(env: Variables, fail: (detail: string, hint: string) => void): Address | undefined {
  const url = env['REDIS_URL'];
  if (url === undefined || url === '') {
    const host = env['REDIS_HOST'];
    if (!host) {
      const others = otherNames(env);
      fail(
        `Neither REDIS_URL nor REDIS_HOST is set${others.length > 0 ? `, but ${others.join(', ')}` : ''}`,
        others.length > 0
          ? 'The client reads REDIS_URL: rename it, or give the address to createClient().'
          : 'Set REDIS_URL=rediss://HOST:PORT.',
      );
      return undefined;
    }
    const port = Number(env['REDIS_PORT'] ?? 6379);
    if (Number.isInteger(port) && port > 0 && port < 65_536) return { host, port };
    fail('REDIS_PORT is not a port', 'A number from 1 to 65535.');
    return undefined;
  }
  if (!URL.canParse(url)) {
    const escaped = /[#?[\]@].*@/.test(url);
    fail(
      'REDIS_URL cannot be read as a URL',
      escaped
        ? 'A password with # ? / @ must be percent-encoded; better take it out: REDIS_PASSWORD_FILE.'
        : 'The form is rediss://HOST:PORT.',
    );
    return undefined;
  }
  const parsed = new URL(url);
  if (!/^(redis|valkey)s?:$/.test(parsed.protocol)) {
    fail(`REDIS_URL begins with ${parsed.protocol}//`, 'Use rediss:// (TLS) or redis://.');
    return undefined;
  }
  if (parsed.hash !== '') {
    fail(
      'REDIS_URL contains a #, and everything after it is lost',
      'A # in a password is written %23; better take the password out: REDIS_PASSWORD_FILE.',
    );
    return undefined;
  }
  const [username, password] = [decoded(parsed.username), decoded(parsed.password)];
  if (username === undefined || password === undefined) {
    fail(
      'REDIS_URL has a % in user or password that is not followed by two hexadecimal digits',
      'A % in a password is written %25; better take the password out: REDIS_PASSWORD_FILE.',
    );
    return undefined;
  }
  const path = parsed.pathname.replace(/^\//, '');
  if (!/^\d*$/.test(path)) {
    fail('The path of REDIS_URL is not a number of a database', 'The form is rediss://HOST:PORT/0.');
    return undefined;
  }
  if (parsed.port === '0') {
    fail('Port 0 is not a port', 'The form is rediss://HOST:PORT.');
    return undefined;
  }
  return {
    host: parsed.hostname.replace(/^\[|\]$/g, ''),
    port: Number(parsed.port || 6379),
    tls: parsed.protocol === 'rediss:' || parsed.protocol === 'valkeys:',
    ...(username && { username }),
    ...(password && { password }),
    ...(path !== '' && { database: Number(path) }),
  };
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}
