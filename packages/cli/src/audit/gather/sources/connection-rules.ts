import type { SourceIssue } from '../../facts/project-facts.js';
import { isLocal, isPrivate, judgeAddress, readAddress } from './address-rules.js';
import type { Dialect } from './libraries.js';
import { Settings } from './settings.js';
import { alternatives, choice, type Origin, type Value } from './value.js';

export interface ConnectionFault {
  readonly issue: SourceIssue;
  readonly detail: string;
  /** Where the setting is written; none where something is missing. */
  readonly origin?: Origin;
}

export interface ConnectionSite {
  readonly dialect: Dialect;
  readonly args: readonly Value[];
  /** Whether it must wait without limit, as queues do. */
  readonly blocks: boolean;
  readonly isTest: boolean;
}

/** The first argument decides: port and host, a URL with options, or options alone. */
function readArguments(args: readonly Value[]): { urls: Value[]; hosts: Value[]; options: Value[] } {
  const [first, second, ...rest] = args;
  const kinds = alternatives(first ?? { kind: 'nothing', isNull: false }).map(({ kind }) => kind);
  if (kinds.includes('number') && second !== undefined)
    return /^(text|pieces|environment|choice|unknown)$/.test(second.kind)
      ? { urls: [], hosts: [second], options: rest }
      : { urls: [], hosts: [], options: [second, ...rest] };
  const texts = args.flatMap((one) => alternatives(one).filter(({ kind }) => kind === 'text' || kind === 'pieces'));
  return { urls: texts, hosts: [], options: [...args] };
}

/** Everything that is wrong with how one client connects. Each alternative of its options is a client by itself. */
export function judgeConnection(site: ConnectionSite): ConnectionFault[] {
  const { urls, hosts, options } = readArguments(site.args);
  let variants: Value[][] = [[]];
  for (const option of options) {
    variants = variants.flatMap((before) => alternatives(option).map((one) => [...before, one])).slice(0, 16);
  }
  return variants.flatMap((values) => judgeVariant(site, new Settings(values), urls, hosts));
}

function originOf(value: Value): Origin | undefined {
  if (value.kind === 'text' || value.kind === 'pieces') return value.origins[0];
  return 'origin' in value ? value.origin : undefined;
}

function judgeVariant(
  { dialect, blocks, isTest }: ConnectionSite,
  settings: Settings,
  argumentUrls: readonly Value[],
  argumentHosts: readonly Value[],
): ConnectionFault[] {
  const faults: ConnectionFault[] = [];
  const report = (issue: SourceIssue, detail: string, value?: Value) => {
    const origin = value && originOf(value);
    faults.push({ issue, detail, ...(origin && { origin }) });
  };

  const unverified = settings.is('rejectUnauthorized', false);
  if (unverified) report('unverified-tls', 'rejectUnauthorized: false', unverified);
  for (const name of ['dangerouslyAcceptAnyCertificate', 'insecure']) {
    const on = settings.is(name, true);
    if (on) report('unverified-tls', `${name}: true`, on);
  }
  const identity = settings.all('checkServerIdentity').find(({ kind }) => kind === 'function');
  if (identity) report('unverified-tls', 'checkServerIdentity is replaced', identity);
  for (const name of ['minVersion', 'secureProtocol']) {
    const old = settings.texts(name).find(({ text }) => /^TLSv1(\.1|_method|_1_method)?$/.test(text));
    if (old) report('old-tls', `${name} ${old.text}`, old);
  }
  if (isTest) return faults;

  const password = settings.texts('password').find(({ text }) => text !== '');
  if (password) report('credential', 'password is a constant', password);

  const urls = [...argumentUrls, ...settings.all('url')];
  const tls = settings.all('tls');
  const off = settings.is('tls', false);
  const mayEncrypt =
    settings.is('useTLS', true) !== undefined ||
    settings.all('useTLS').some(({ kind }) => kind === 'unknown') ||
    tls.some((one) => one.kind !== 'nothing' && !(one.kind === 'boolean' && !one.value));
  for (const url of urls) {
    const address = readAddress(url);
    if (address === undefined) continue;
    for (const { issue, detail } of judgeAddress(address, mayEncrypt || settings.open)) report(issue, detail, url);
    if (address.encrypted && address.host !== undefined) missingCa(address.host, true);
  }

  const plaintext = settings.is('allowPlaintext', true);
  const named = [...argumentHosts.flatMap(alternatives), ...settings.all('host')];
  const knownHosts = named.filter((one) => one.kind === 'text');
  if (dialect === 'redkeep' && plaintext) {
    const remote =
      knownHosts.some(({ text }) => !isLocal(text)) ||
      urls.some((url) => (readAddress(url)?.host ?? '') !== '' && !isLocal(readAddress(url)!.host!));
    if (remote) report('plaintext-url', 'allowPlaintext: true', plaintext);
  }
  const secureByDefault = dialect === 'redkeep' || dialect === 'redkeep (ioredis)';
  for (const host of knownHosts) {
    if (isLocal(host.text)) continue;
    if (off ? !mayEncrypt : !mayEncrypt && !secureByDefault && !settings.open && urls.length === 0)
      report('plaintext-url', `${host.text} without TLS`, off ?? host);
    missingCa(host.text, mayEncrypt && off === undefined);
  }

  if (
    settings.all('password').some(({ kind }) => kind !== 'nothing') &&
    !settings.has('username') &&
    urls.length === 0 &&
    !settings.has('url') &&
    !settings.open &&
    dialect !== 'valkey-glide'
  )
    report('default-user', 'password without username logs in as the default user', settings.all('password')[0]);
  const asDefault = settings.texts('username').find(({ text }) => text === 'default');
  if (asDefault) report('default-user', 'logs in as the default user', asDefault);

  if (dialect === 'ioredis' && !blocks) {
    const endless = settings.all('maxRetriesPerRequest').find((one) => one.kind === 'nothing' && one.isNull);
    if (endless) report('unbounded', 'maxRetriesPerRequest: null retries for ever', endless);
    if (!settings.has('commandTimeout') && !settings.open) report('unbounded', 'no commandTimeout');
  }
  if (
    dialect === 'node-redis' &&
    !blocks &&
    !settings.has('commandOptions') &&
    !settings.has('socketTimeout') &&
    !settings.open
  )
    report('unbounded', 'no command timeout (commandOptions.timeout or socket.socketTimeout)');
  return faults;

  function missingCa(host: string, encrypted: boolean): void {
    if (!encrypted || !isPrivate(host) || settings.has('ca') || settings.has('caFile') || settings.open) return;
    if (settings.is('rejectUnauthorized', false) || settings.has('rootCertificates')) return;
    report('missing-ca', `${host} with TLS but without a CA`, choice(tls));
  }
}
