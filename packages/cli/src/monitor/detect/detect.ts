import { createHash } from 'node:crypto';
import { commandCounters, errorCounters, numberOf, replicasOf } from '../info.js';
import type { NodeSnapshot } from '../snapshot.js';
import { type AclLogChange, aclLogChanges } from './acl-log-changes.js';
import type { EventName, MonitorEvent } from './events.js';
import { type Expectations, userLabel } from './expectations.js';
import { insideNetworks, networkOf } from './networks.js';
import type { CommandMemory, NodeMemory, Recent } from './node-memory.js';
import { extractionCommands, watchedCommands } from './watched-commands.js';

/** Failed logins and probes are judged over this time. */
export const windowMs = 5 * 60_000;
/** Failed logins within the window that no typing error explains. */
export const guessingLogins = 10;
/** Different names within the window. */
export const sprayNames = 5;
/** Commands without a login within the window; one probe of a load balancer is not an attack. */
export const probeCommands = 5;
/** Until so long after the first round, networks and rates are learned and not reported. */
export const learnMs = 24 * 3_600_000;
/** Entries of ACL LOG that a round asks for, and that servers keep unless told otherwise. */
const aclLogEntriesAsked = 128;
/** Bytes sent within a minute that are worth a word when they are ten times the average as well. */
const outputBytesAMinute = 100 * 1024 * 1024;
const unusualFactor = 10;
/** Rounds after which an average means something. */
const averageRounds = 20;

/** What redkeep itself does to servers when it rotates, applies and hands over. */
const plannedEvents: ReadonlySet<EventName> = new Set([
  'configuration-changed',
  'users-changed',
  'clients-paused',
  'restarted',
]);

export interface Detection {
  readonly events: readonly MonitorEvent[];
  readonly memory: NodeMemory;
}

/** What changed on a server since the last round. Pure: the same snapshot and memory give the same answer. */
export function detect(
  snapshot: NodeSnapshot,
  before: NodeMemory | undefined,
  expected: Expectations,
): Detection | undefined {
  if (!snapshot.up || !snapshot.info) return certificateOnly(snapshot, before, expected);
  const events: MonitorEvent[] = [];
  const add = (event: EventName, count: number, detail: string) => {
    if (count > 0 && !(expected.changing && plannedEvents.has(event))) events.push({ event, count, detail });
  };
  const { info, at } = snapshot;
  const runId = info.fields.get('run_id') ?? '';
  const restarted = before !== undefined && before.runId !== runId;
  const same = before !== undefined && !restarted ? before : undefined;
  if (restarted) add('restarted', 1, 'the server process is another one');

  const commands = Object.fromEntries(
    [...commandCounters(info)].map(([name, { calls, rejected, failed }]) => {
      const counters: CommandMemory = [calls, rejected, failed];
      return [name, counters];
    }),
  );
  const ownRefusals = Object.fromEntries(snapshot.ownRefusals);
  const context = { snapshot, before: same, expected, commands, ownRefusals, add };
  judgeCommands(context);
  judgeCounters(context);
  const extraction = judgeExtraction(context);
  const refusals = judgeRefusals(context, before);
  judgeCode(context, before);
  judgeReplication(context, before);
  const networks = judgeClients(context, before);
  judgeCertificate(snapshot, before, expected, add);

  const totals = { ...before?.events };
  for (const { event, count } of events) totals[event] = (totals[event] ?? 0) + count;
  const memory: NodeMemory = {
    format: 1,
    at,
    firstAt: before?.firstAt ?? at,
    rounds: (before?.rounds ?? 0) + 1,
    runId,
    commands,
    errors: Object.fromEntries(errorCounters(info)),
    ownRefusals,
    ...refusals,
    modules: snapshot.modules ? modulesText(snapshot) : before?.modules,
    libraries: librariesOf(snapshot) ?? before?.libraries,
    replid: info.fields.get('master_replid'),
    role: info.fields.get('role'),
    primary: info.fields.get('master_host'),
    certificate: snapshot.certificate?.fingerprint ?? before?.certificate,
    networks,
    averages: extraction,
    outputBytes: numberOf(info, 'total_net_output_bytes'),
    events: totals,
  };
  return { events, memory };
}

interface Scene {
  readonly snapshot: NodeSnapshot;
  /** The memory where the server is still the same process, so that counters can be compared. */
  readonly before: NodeMemory | undefined;
  readonly expected: Expectations;
  readonly commands: Readonly<Record<string, CommandMemory>>;
  readonly ownRefusals: Readonly<Record<string, number>>;
  readonly add: (event: EventName, count: number, detail: string) => void;
}

/** A server that is not reached may still be impersonated. */
function certificateOnly(
  snapshot: NodeSnapshot,
  before: NodeMemory | undefined,
  expected: Expectations,
): Detection | undefined {
  if (before === undefined || snapshot.certificate === undefined) return undefined;
  const events: MonitorEvent[] = [];
  judgeCertificate(snapshot, before, expected, (event, count, detail) => events.push({ event, count, detail }));
  const totals = { ...before.events };
  for (const { event, count } of events) totals[event] = (totals[event] ?? 0) + count;
  return { events, memory: { ...before, certificate: snapshot.certificate.fingerprint, events: totals } };
}

function judgeCommands({ before, commands, expected, snapshot, ownRefusals, add }: Scene): void {
  if (!before) return;
  for (const [name, event] of Object.entries(watchedCommands)) {
    const [calls, rejected] = commands[name] ?? [0, 0, 0];
    const [callsBefore, rejectedBefore] = before.commands[name] ?? [0, 0, 0];
    const own = (ownRefusals[name] ?? 0) - (before.ownRefusals[name] ?? 0);
    const ran = Math.max(0, calls - callsBefore);
    const refused = Math.max(0, rejected - rejectedBefore - own);
    // Sentinels move the primary with SLAVEOF: that it leads to a node of the deployment is judged by replication.
    const planned =
      /^(slaveof|replicaof)$/.test(name) && expected.topology === 'sentinel' && !isForeign(snapshot, expected);
    if (!planned) add(event, ran, `${name.replace('|', ' ').toUpperCase()} ran ${times(ran)}`);
    add('dangerous-command-denied', refused, `${name.replace('|', ' ').toUpperCase()} was refused ${times(refused)}`);
  }
}

/** Counters of the same process only grow; they go back when somebody has reset them. */
function judgeCounters({ before, commands, add }: Scene): void {
  if (!before) return;
  const shrunk = Object.entries(before.commands).filter(([name, [calls]]) => (commands[name]?.[0] ?? 0) < calls);
  if (shrunk.length > 0) add('evidence-erased', 1, 'the counters of commands went backwards: CONFIG RESETSTAT');
}

function judgeExtraction({ before, snapshot, commands, expected, add }: Scene): Record<string, number> {
  const minutes = before ? Math.max(1 / 60, (snapshot.at - before.at) / 60_000) : undefined;
  const averages: Record<string, number> = { ...before?.averages };
  if (!before || minutes === undefined) return averages;
  const learned = before.rounds >= averageRounds;
  const judge = (name: string, amount: number, unusual: number, detail: string) => {
    const average = averages[name] ?? 0;
    const rate = amount / minutes;
    // Neither an alert nor what is usual.
    if (expected.walking && (name === 'scan' || name === 'output')) return;
    // A burst shorter than a minute counts as what it was, not as a rate.
    if (Math.min(rate, amount) >= unusual && rate >= average * unusualFactor) add('exfiltration', 1, detail);
    averages[name] = average + (rate - average) * Math.min(1, 0.05 * minutes * 4);
  };
  for (const [name, unusual] of Object.entries(extractionCommands)) {
    const ran = Math.max(0, (commands[name]?.[0] ?? 0) - (before.commands[name]?.[0] ?? 0));
    judge(name, ran, unusual, `${name.replace('|', ' ').toUpperCase()} ran ${times(ran)}, far more than usual`);
  }
  const output = numberOf(snapshot.info!, 'total_net_output_bytes') ?? 0;
  const sent = Math.max(0, output - (before.outputBytes ?? output));
  judge(
    'output',
    sent,
    learned ? outputBytesAMinute : Number.POSITIVE_INFINITY,
    `${sent} bytes were sent, far more than usual`,
  );
  return averages;
}

type Refusals = Pick<
  NodeMemory,
  'aclLog' | 'aclLogEntries' | 'unlogged' | 'recent' | 'refusedLogins' | 'refusedCommands'
>;

function judgeRefusals(scene: Scene, ever: NodeMemory | undefined): Refusals {
  const { snapshot, before, expected, ownRefusals, add } = scene;
  const { at, aclLog } = snapshot;
  const refusedLogins = { ...ever?.refusedLogins };
  const refusedCommands = { ...ever?.refusedCommands };
  const recent: Recent[] = (ever?.recent ?? []).filter((one) => at - one.at < windowMs);
  // A server that was started anew has an empty log: all that is in it is new.
  const known = ever === undefined ? undefined : before ? before.aclLog : {};
  const { changes, memory } = aclLogChanges(aclLog ?? [], known);
  const ownLeft = new Map(
    Object.entries(ownRefusals).map(([name, count]) => [name, count - (before?.ownRefusals[name] ?? 0)]),
  );
  for (const change of changes) {
    const { entry } = change;
    const label = userLabel(expected, entry.username);
    if (entry.reason === 'auth') {
      // A rotation proves with logins of its own that old passwords are refused.
      if (!isOwn(scene, entry.address))
        recent.push({ at, kind: 'login', name: shortHash(entry.username), count: change.count });
      refusedLogins[label] = (refusedLogins[label] ?? 0) + change.count;
      continue;
    }
    const count = withoutOwn(change, snapshot.ownUser, ownLeft);
    if (count === 0) continue;
    const key = `${label} ${entry.reason}`;
    refusedCommands[key] = (refusedCommands[key] ?? 0) + count;
    // The logins of a rotation send what every client sends first, which a narrow user may not.
    if (isOwn(scene, entry.address)) continue;
    const what = entry.reason === 'command' ? 'a command' : `a ${entry.reason}`;
    add(
      'permission-denied',
      count,
      `${label} was refused ${what} ${times(count)}, from ${entry.address || 'a local socket'}`,
    );
  }
  const unlogged = judgeUnlogged(scene, ever, changes);
  if (unlogged.hidden.logins > 0) {
    recent.push({ at, kind: 'login', name: '', count: unlogged.hidden.logins });
    refusedLogins['unknown'] = (refusedLogins['unknown'] ?? 0) + unlogged.hidden.logins;
  }
  add('permission-denied', unlogged.hidden.others, `${unlogged.hidden.others} refusals were pushed out of ACL LOG`);
  judgeWithoutLog(scene, ever, recent, refusedLogins);
  const before1 = (ever?.recent ?? []).filter((one) => at - one.at < windowMs);
  crossed(before1, recent, 'login', guessingLogins, sum, (count) =>
    add('password-guessing', 1, `${count} logins failed within 5 minutes${from(changes)}`),
  );
  crossed(before1, recent, 'login', sprayNames, distinct, (count) =>
    add('password-spray', 1, `logins failed for ${count} different names within 5 minutes${from(changes)}`),
  );
  crossed(before1, recent, 'noauth', probeCommands, sum, (count) =>
    add('unauthenticated-probe', 1, `${count} commands came without a login within 5 minutes`),
  );
  const entries = aclLog?.length ?? ever?.aclLogEntries ?? 0;
  if (before && aclLog && before.aclLogEntries > 0 && entries < before.aclLogEntries)
    add('evidence-erased', 1, 'ACL LOG has fewer entries than before: ACL LOG RESET');
  return {
    aclLog: aclLog ? memory : (ever?.aclLog ?? {}),
    aclLogEntries: entries,
    unlogged: unlogged.left,
    recent,
    refusedLogins,
    refusedCommands,
  };
}

/**
 * A flood of ACL LOG, which keeps 128 entries, hides the refusals of others: those that INFO counts and the log does not show are
 * taken for refusals of an unknown user.
 */
function judgeUnlogged({ snapshot, before }: Scene, ever: NodeMemory | undefined, changes: readonly AclLogChange[]) {
  const none = { logins: 0, others: 0 };
  const { aclLog, info } = snapshot;
  if (!aclLog || ever === undefined) return { hidden: none, left: none };
  const errors = errorCounters(info!);
  const full = aclLog.length >= aclLogEntriesAsked;
  const judge = (code: string, earlier: number, logged: number) => {
    const balance = earlier + Math.max(0, (errors.get(code) ?? 0) - (before?.errors[code] ?? 0)) - logged;
    return { hidden: full ? Math.max(0, balance) : 0, left: Math.max(-logged, Math.min(0, balance)) };
  };
  const count = (auth: boolean) =>
    changes
      .filter(({ entry }) => (entry.reason === 'auth') === auth)
      .reduce((total, change) => total + change.count, 0);
  const logins = judge('WRONGPASS', ever.unlogged?.logins ?? 0, count(true));
  const others = judge('NOPERM', ever.unlogged?.others ?? 0, count(false));
  return {
    hidden: { logins: logins.hidden, others: others.hidden },
    left: { logins: logins.left, others: others.left },
  };
}

/** From this machine or a node, while redkeep itself changes the deployment. */
function isOwn({ expected }: Scene, address: string): boolean {
  return expected.changing && expected.ownAddresses.has(address);
}

/** NOAUTH is never in ACL LOG; where the log cannot be read, failed logins are known by their error alone. */
function judgeWithoutLog(
  { snapshot, before, expected }: Scene,
  ever: NodeMemory | undefined,
  recent: Recent[],
  refusedLogins: Record<string, number>,
): void {
  if (ever === undefined) return;
  const errors = errorCounters(snapshot.info!);
  const grew = (name: string) => Math.max(0, (errors.get(name) ?? 0) - (before?.errors[name] ?? 0));
  const noauth = grew('NOAUTH');
  if (noauth > 0 && !expected.changing) recent.push({ at: snapshot.at, kind: 'noauth', name: '', count: noauth });
  const wrong = snapshot.aclLog ? 0 : grew('WRONGPASS');
  if (wrong === 0) return;
  recent.push({ at: snapshot.at, kind: 'login', name: '', count: wrong });
  refusedLogins['unknown'] = (refusedLogins['unknown'] ?? 0) + wrong;
}

const sum = (list: readonly Recent[]) => list.reduce((total, { count }) => total + count, 0);
const distinct = (list: readonly Recent[]) => new Set(list.map(({ name }) => name)).size;

/** Reports when a bound is reached, and again each time as much came on top. */
function crossed(
  before: readonly Recent[],
  now: readonly Recent[],
  kind: Recent['kind'],
  bound: number,
  measure: (list: readonly Recent[]) => number,
  report: (count: number) => void,
): void {
  const then = measure(before.filter((one) => one.kind === kind));
  const count = measure(now.filter((one) => one.kind === kind));
  if (Math.floor(count / bound) > Math.floor(then / bound)) report(count);
}

function from(changes: readonly AclLogChange[]): string {
  const addresses = new Set(changes.filter(({ entry }) => entry.reason === 'auth').map(({ entry }) => entry.address));
  const shown = [...addresses].filter(Boolean).slice(0, 5);
  return shown.length === 0 ? '' : `, from ${shown.join(', ')}`;
}

/** Takes off what the server refused to this monitor: as often as the monitor itself was refused, and not once more. */
function withoutOwn({ entry, count }: AclLogChange, ownUser: string | undefined, left: Map<string, number>): number {
  if (entry.username !== ownUser || entry.reason !== 'command') return count;
  const own = Math.min(count, left.get(entry.object) ?? 0);
  left.set(entry.object, (left.get(entry.object) ?? 0) - own);
  return count - own;
}

function judgeCode({ snapshot, add }: Scene, ever: NodeMemory | undefined): void {
  if (!ever) return;
  if (snapshot.modules && ever.modules !== undefined && modulesText(snapshot) !== ever.modules)
    add(
      'modules-changed',
      1,
      `the loaded modules are now: ${snapshot.modules.map(({ name }) => name).join(', ') || 'none'}`,
    );
  const libraries = librariesOf(snapshot);
  if (libraries !== undefined && ever.libraries !== undefined && libraries !== ever.libraries)
    add('code-loaded', 1, `${ever.libraries} function libraries became ${libraries}`);
}

function modulesText({ modules }: NodeSnapshot): string {
  return (modules ?? [])
    .map(({ name, version, path }) => `${name} ${version} ${path}`)
    .sort()
    .join('\n');
}

function librariesOf({ info }: NodeSnapshot): number | undefined {
  return numberOf(info!, 'number_of_libraries') ?? numberOf(info!, 'number_of_functions');
}

/** Rogue primaries answer with made-up ids: one character forty times. */
const madeUpId = /^(.)\1{39}$/;

function judgeReplication({ snapshot, expected, add }: Scene, ever: NodeMemory | undefined): void {
  const { fields } = snapshot.info!;
  const replid = fields.get('master_replid');
  if (!ever || replid === undefined || ever.replid === undefined || replid === ever.replid) return;
  if (madeUpId.test(replid)) {
    add('replication-id-changed', 1, 'the replication id is a made-up one');
    return;
  }
  // After a failover the new id follows the old one, and replicas take it from a primary of the deployment.
  const planned = expected.topology !== undefined && expected.topology !== 'single' && !isForeign(snapshot, expected);
  const restarted = ever.runId !== fields.get('run_id');
  if (!planned && !restarted) add('replication-id-changed', 1, 'the replication id changed without a failover');
}

/** True where the server copies one that is not of its deployment. */
export function isForeign({ info }: NodeSnapshot, { replicaAddresses, topology }: Expectations): boolean {
  const primary = info?.fields.get('master_host');
  if (primary === undefined) return false;
  return topology !== undefined && !replicaAddresses.has(primary);
}

/** Replicas that nobody planned: not of a node, and not a copy that the backup user takes from a known address. */
export function unknownReplicas({ info, clients }: NodeSnapshot, expected: Expectations): number {
  if (!info || expected.topology === undefined) return 0;
  const planned = (user: string) => ['replication', 'backup'].includes(expected.users?.get(user) ?? '');
  const copying = clients?.filter(({ type, user }) => type === 'replica' && !planned(user)) ?? [];
  const strange = replicasOf(info).filter(({ ip }) => !expected.replicaAddresses.has(ip));
  return Math.max(copying.length, strange.length);
}

function judgeClients({ snapshot, expected, add }: Scene, ever: NodeMemory | undefined): NodeMemory['networks'] {
  const { clients, at } = snapshot;
  const networks: Record<string, string[]> = Object.fromEntries(
    Object.entries(ever?.networks ?? {}).map(([user, list]) => [user, [...list]]),
  );
  const learning = expected.networks.length === 0 && (ever === undefined || at - ever.firstAt < learnMs);
  for (const { user, address } of clients ?? []) {
    if (address === '' || expected.ownAddresses.has(address)) continue;
    const label = userLabel(expected, user);
    const network = networkOf(address);
    const seen = networks[label] ?? [];
    networks[label] = seen;
    if (seen.includes(network)) continue;
    seen.push(network);
    if (!learning && !insideNetworks(address, expected.networks))
      add('new-client-network', 1, `${label} came from ${network} for the first time`);
  }
  return networks;
}

function judgeCertificate(
  { certificate, node }: NodeSnapshot,
  ever: NodeMemory | undefined,
  { certificates }: Expectations,
  add: (event: EventName, count: number, detail: string) => void,
): void {
  if (!certificate || ever?.certificate === undefined || certificate.fingerprint === ever.certificate) return;
  // What is in the deployment's own file was put there by its operator.
  if (certificate.fingerprint === certificates.get(node.name)) return;
  const trust = certificate.trusted ? 'of the trusted CA' : `that is not trusted (${certificate.problem})`;
  add('certificate-changed', 1, `another certificate is served, ${trust}`);
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}
