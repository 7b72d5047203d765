import { isLoopback } from 'redkeep';
import type { FileFinding, Location } from '../facts/project-facts.js';
import { isReference } from '../facts/reference.js';
import { secretVariable } from '../facts/secret-variable.js';

/** A variable of a deployment file. */
export interface Variable {
  readonly name: string;
  readonly value: string;
  readonly at: Location;
}

/** Words by which a variable says that it is about one of the engines. */
const ofServers = /redis|valkey|dragonfly|keydb|sentinel|bullmq|celery/i;
const url = /\b(redis|rediss|valkey|valkeys):\/\/([^\s"'`,;]*)/gi;

interface ServerUrl {
  readonly tls: boolean;
  readonly user: string;
  readonly password: string;
  readonly host: string;
}

/** Addresses of servers in a text. References (`${…}`) stay in their parts. */
export function serverUrls(text: string): ServerUrl[] {
  return [...text.matchAll(url)].map(([, scheme = '', rest = '']) => {
    const authority = rest.split(/[/?#](?![^$]*\})/)[0]!;
    const at = authority.lastIndexOf('@');
    const credentials = at === -1 ? '' : authority.slice(0, at);
    const [user = '', ...password] = credentials.split(/:(?![^{]*\})/);
    return {
      tls: scheme.toLowerCase().endsWith('ss') || scheme.toLowerCase() === 'valkeys',
      user,
      password: password.join(':'),
      host: authority
        .slice(at + 1)
        .replace(/:[^:\]]*$/, '')
        .replace(/^\[|\]$/g, ''),
    };
  });
}

/** Whether a value is a secret in clear text. */
export function isClearSecret({ name, value }: Pick<Variable, 'name' | 'value'>): boolean {
  if (serverUrls(value).some(({ password }) => password !== '' && !isReference(password))) return true;
  return isSecretName(name) && isSecretValue(value);
}

/** Names of secrets; those that say where a secret is, or whether one is needed, are not. */
export function isSecretName(name: string): boolean {
  return (
    secretVariable.test(name) &&
    !/_(FILE|PATH|SECRET_NAME|KEY_NAME)$|^ALLOW_EMPTY|^DISABLE_|_ENABLED$|^existing|^(use|with)[A-Z]|secret(Name|Key|Ref|KeyRef|Path)$/i.test(
      name,
    )
  );
}

function isSecretValue(value: string): boolean {
  return (
    value !== '' &&
    !isReference(value) &&
    !/^(true|false|yes|no|null|none)$/i.test(value) &&
    !value.startsWith('/run/secrets/')
  );
}

export function isAboutServers({ name, value }: Pick<Variable, 'name' | 'value'>): boolean {
  return ofServers.test(name) || serverUrls(value).length > 0;
}

/** What the addresses in a program's variables say; `local` are hosts whose traffic stays on the machine. */
export function urlFindings({ name, value, at }: Variable, local: ReadonlySet<string> = new Set()): FileFinding[] {
  return serverUrls(value).flatMap(({ tls, user, password, host }): FileFinding[] => {
    const findings: FileFinding[] = [];
    if (!tls && host !== '' && !isReference(host) && !isLoopback(host) && !local.has(host))
      findings.push({
        issue: 'plaintext-url',
        about: name,
        at,
        detail: `${name} connects to ${host} without TLS`,
        remedy: 'rediss:// with the CA of the server',
      });
    if (password !== '' && user === '')
      findings.push({
        issue: 'default-user',
        about: name,
        at,
        detail: `${name} logs in as the default user`,
        remedy: 'A user of its own: rediss://USER:PASSWORD@HOST, the password from a secret',
      });
    return findings;
  });
}

const off = /^(0|false|no|none|off)$/i;
const on = /^(1|true|yes|on)$/i;

/** Whether a variable turns the verification of certificates off; `INSECURE_SKIP_VERIFY=false` does not. */
function turnsVerificationOff({ name, value }: Variable): boolean {
  if (name === 'NODE_TLS_REJECT_UNAUTHORIZED') return value === '0';
  if (!isAboutServers({ name, value })) return false;
  if (/INSECURE|SKIP_(TLS_)?VERIFY|(NO|DISABLE|SKIP)_.*VERIF/i.test(name)) return on.test(value);
  if (/REJECT_UNAUTHORIZED|VERIFY|CERT_REQS/i.test(name)) return off.test(value) || value === 'CERT_NONE';
  return /ssl_cert_reqs=(none|CERT_NONE)|[?&](insecure|skip_verify|tls_insecure)=(1|true)/i.test(value);
}

/** Variables that turn the verification of servers' certificates off. */
export function verificationFindings(variables: readonly Variable[]): FileFinding[] {
  return variables.filter(turnsVerificationOff).map(({ name, at }) => ({
    issue: 'unverified-tls',
    about: name,
    at,
    detail: `${name} turns the verification of the server's certificate off`,
    remedy: 'Give the client the CA of the server instead',
  }));
}

/** `REDIS_TLS=false` beside a `REDIS_HOST` of another machine. */
export function plaintextFindings(
  variables: readonly Variable[],
  local: ReadonlySet<string> = new Set(),
): FileFinding[] {
  return variables.flatMap(({ name, value, at }): FileFinding[] => {
    const [, prefix] = /^(.*(?:REDIS|VALKEY)\w*?)_?(?:USE_)?(?:TLS|SSL)(?:_ENABLED)?$/i.exec(name) ?? [];
    if (prefix === undefined || !off.test(value)) return [];
    const host = variables.find((one) => one.name.toLowerCase() === `${prefix}_host`.toLowerCase())?.value ?? '';
    if (host === '' || isReference(host) || isLoopback(host) || local.has(host)) return [];
    return [
      {
        issue: 'plaintext-url',
        about: name,
        at,
        detail: `${name} turns TLS to ${host} off`,
        remedy: 'Turn it on, and give the CA of the server',
      },
    ];
  });
}
