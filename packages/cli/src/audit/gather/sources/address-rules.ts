import { isLoopback } from 'redkeep';
import type { SourceIssue } from '../../facts/project-facts.js';
import type { Value } from './value.js';

/** Something wrong, in words that hold no secret. */
export interface Fault {
  readonly issue: SourceIssue;
  readonly detail: string;
}

/** Stands for a part that is only known when the program runs. */
const hole = '\u0000';

/** The host of a URL or an option, with or without a port, leads to this machine alone. */
export function isLocal(host: string): boolean {
  return isLoopback(host.replace(/:\d+$/, '')) || isLoopback(host);
}

/** A name that only a private network knows, or an address of one: no public CA stands for it. */
export function isPrivate(host: string): boolean {
  return (
    !isLocal(host) &&
    (/\.(internal|local|lan|svc|corp)$|^[^.:]+$/.test(host) || /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(host))
  );
}

export interface Address {
  readonly encrypted: boolean;
  /** `undefined`: only known when the program runs. */
  readonly host?: string;
  readonly user: string;
  readonly hasPassword: boolean;
  /** Whether the password is in the source. */
  readonly passwordIsWritten: boolean;
  readonly unverified: boolean;
  /** The URL without its password, for reports. */
  readonly shown: string;
}

/** Reads a URL of a server, also where parts of it are not known. */
export function readAddress(value: Value): Address | undefined {
  const text =
    value.kind === 'text'
      ? value.text
      : value.kind === 'pieces'
        ? value.parts.map((part) => part ?? hole).join('')
        : undefined;
  const [, scheme, userinfo, host] = text?.match(/^(redis|valkey|rediss|valkeys):\/\/(?:([^@/]*)@)?([^/?]*)/) ?? [];
  if (text === undefined || scheme === undefined || !host) return undefined;
  const name = host.match(/^(\[[^\]]*\]|[^:]*)/)?.[0] ?? host;
  const [user = '', ...rest] = userinfo?.split(':') ?? [];
  const password = rest.join(':');
  const shown = text
    .replace(/\/\/([^/@]*)@/, (_, one: string) => `//${one.split(':')[0]}${one.includes(':') ? ':***' : ''}@`)
    .replaceAll(hole, '…');
  return {
    encrypted: scheme === 'rediss' || scheme === 'valkeys',
    ...(!name.includes(hole) && { host: name.replace(/^\[|\]$/g, '') }),
    user,
    hasPassword: password !== '',
    passwordIsWritten: password !== '' && !password.includes(hole),
    unverified: /[?&](tls_insecure|rejectUnauthorized=false|insecure)/.test(text),
    shown,
  };
}

/** What is wrong with an address by itself. `tls`: an option beside it turns TLS on. */
export function judgeAddress(address: Address, tls: boolean): Fault[] {
  const faults: Fault[] = [];
  const { encrypted, host, user, shown } = address;
  if (!encrypted && !tls && !(host !== undefined && isLocal(host)))
    faults.push({ issue: 'plaintext-url', detail: `${shown} is not encrypted` });
  if (address.passwordIsWritten) faults.push({ issue: 'credential', detail: `${shown} carries a password` });
  if (address.hasPassword && (user === '' || user === 'default'))
    faults.push({ issue: 'default-user', detail: `${shown} logs in as the default user` });
  if (address.unverified) faults.push({ issue: 'unverified-tls', detail: `${shown} turns verification off` });
  return faults;
}
