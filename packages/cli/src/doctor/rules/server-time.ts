import { type CommandUse, type Evidence, growth, numberOf, quantile } from '../evidence.js';
import { count, microseconds, percent, type Rule } from '../finding.js';

/** Commands whose cost grows with the data. */
const wholeData: Readonly<Record<string, string>> = {
  keys: 'SCAN in small steps',
  smembers: 'SSCAN, or SRANDMEMBER / SISMEMBER for what is needed',
  hgetall: 'HMGET of the fields that are needed, or HSCAN',
  hkeys: 'HSCAN',
  hvals: 'HSCAN',
  sort: 'a sorted set kept in order while writing',
  sunion: 'a set that is kept up to date while writing',
  sinter: 'SINTERCARD with LIMIT, or smaller sets',
  sdiff: 'a set that is kept up to date while writing',
  lrange: 'shorter ranges',
  zrange: 'shorter ranges',
  zrangebyscore: 'LIMIT',
  flushall: 'FLUSHALL ASYNC',
  flushdb: 'FLUSHDB ASYNC',
  del: 'UNLINK, which frees memory in the background',
};

function timeOf(commands: readonly CommandUse[]): number {
  return commands.reduce((sum, { usec }) => sum + usec, 0);
}

function serverShare(evidence: Evidence, usec: number): number {
  return usec / (evidence.seconds * 1e6);
}

/** What the doctor asks itself is not the patient's illness. */
const own = new Set([
  'info',
  'slowlog|get',
  'latency|latest',
  'client|list',
  'scan',
  'memory|usage',
  'object|idletime',
]);

const expensiveCommand: Rule = (evidence) => {
  const total = timeOf(evidence.commands);
  const [worst] = evidence.commands.filter(({ name, usec, calls }) => {
    if (own.has(name) || !(name in wholeData)) return false;
    return calls > 0 && usec / calls > 500 && serverShare(evidence, usec) > 0.005;
  });
  if (!worst) return undefined;
  const share = worst.usec / total;
  return {
    id: 'expensive-command',
    kind: 'slow',
    title: `${worst.name.toUpperCase()} takes much of the server's time`,
    measured: `${count(worst.calls, 'call')}, ${microseconds(worst.usec / worst.calls)} each, ${percent(share)} of all command time`,
    threshold: '500 µs a call and 0.5 % of the time: everybody else waits meanwhile, because commands run one by one',
    share,
    shareOf: "of the server's command time",
    fix: `Use ${wholeData[worst.name]}.`,
    risk: 'The application has to change.',
    undo: 'Nothing to undo on the server.',
  };
};

const scripts: Rule = (evidence) => {
  const run = evidence.commands.filter(({ name }) => /^(eval|evalsha|fcall)(_ro)?$/.test(name));
  const usec = timeOf(run);
  const calls = run.reduce((sum, use) => sum + use.calls, 0);
  if (calls === 0 || usec / calls < 2000 || serverShare(evidence, usec) < 0.01) return undefined;
  return {
    id: 'slow-script',
    kind: 'slow',
    title: 'Scripts hold up the server',
    measured: `${count(calls, 'call')}, ${microseconds(usec / calls)} each, ${percent(serverShare(evidence, usec))} of the time watched`,
    threshold: '2 ms a call and 1 % of the time',
    share: usec / timeOf(evidence.commands),
    shareOf: "of the server's command time",
    fix: 'Do less in a call: work in batches, and keep loops over whole collections out of scripts.',
    risk: 'Smaller steps are no longer one atomic step.',
    undo: 'Nothing to undo on the server.',
  };
};

/** A command that takes long each time, whatever it is; the rules above know the reason of some. */
const longCommand: Rule = (evidence) => {
  const [worst] = evidence.commands.filter(({ name, usec, calls }) => {
    if (own.has(name) || name in wholeData || /^(eval|evalsha|fcall)(_ro)?$/.test(name)) return false;
    return calls > 0 && usec / calls > 10_000 && serverShare(evidence, usec) > 0.02;
  });
  if (!worst) return undefined;
  const share = serverShare(evidence, worst.usec);
  const name = worst.name.replace('|', ' ').toUpperCase();
  return {
    id: 'long-command',
    kind: 'slow',
    title: `${name} takes long each time`,
    measured: `${count(worst.calls, 'call')}, ${microseconds(worst.usec / worst.calls)} each, ${percent(share)} of the time watched`,
    threshold: '10 ms a call and 2 % of the time: everybody else waits meanwhile, because commands run one by one',
    share,
    shareOf: 'of the time watched',
    fix: `Find who runs it (CLIENT LIST, cmd=${worst.name}) and on how much: ask for less in a call.`,
    risk: 'None for the server.',
    undo: 'Nothing to undo on the server.',
  };
};

const slowSingle: Rule = (evidence) => {
  const since = evidence.now.getTime() / 1000 - 3600;
  const slow = evidence.slow.filter(({ usec, at, command }) => usec >= 100_000 && at > since && command !== 'debug');
  const [worst] = [...slow].sort((a, b) => b.usec - a.usec);
  if (!worst) return undefined;
  const where = worst.keyPattern ? ` on ${worst.keyPattern}` : '';
  return {
    id: 'slow-single-command',
    kind: 'slow',
    title: 'Single commands stopped the server for a noticeable time',
    measured: `${count(slow.length, 'command')} of 100 ms or more in the last hour; the longest: ${worst.command.toUpperCase()}${where}, ${microseconds(worst.usec)}`,
    threshold: '100 ms: every client waits that long',
    share: Math.min(1, slow.reduce((sum, { usec }) => sum + usec, 0) / 3.6e9),
    shareOf: 'of the last hour',
    fix: 'Split the work: ranges instead of whole collections, UNLINK instead of DEL, SCAN instead of KEYS.',
    risk: 'The application has to change.',
    undo: 'Nothing to undo on the server.',
  };
};

const saturated: Rule = (evidence) => {
  const main = growth(evidence, 'used_cpu_user_main_thread') + growth(evidence, 'used_cpu_sys_main_thread');
  const share = main / evidence.seconds;
  if (share < 0.8) return undefined;
  const [top] = evidence.commands.filter(({ name }) => !own.has(name));
  return {
    id: 'cpu-saturated',
    kind: 'slow',
    title: "The server's main thread has no time left",
    measured: `${percent(share)} of one core${top ? `; most of it in ${top.name.toUpperCase()} (${count(top.calls, 'call')})` : ''}`,
    threshold: '80 %: waiting times grow steeply from there',
    share: Math.min(1, share),
    shareOf: 'of one core',
    fix: 'Take work away (pipelining, fewer big commands), spread reads over replicas, or shard.',
    risk: 'Replicas answer with older values.',
  };
};

const pipelining: Rule = (evidence) => {
  const commands = growth(evidence, 'total_commands_processed');
  const reads = growth(evidence, 'total_reads_processed');
  if (reads === 0 || commands / evidence.seconds < 2000) return undefined;
  const perRead = commands / reads;
  const main = growth(evidence, 'used_cpu_user_main_thread') + growth(evidence, 'used_cpu_sys_main_thread');
  const inCommands = timeOf(evidence.commands) / 1e6;
  const overhead = main > 0 ? Math.max(0, 1 - inCommands / main) : 0;
  if (perRead > 1.5 || overhead < 0.5 || main / evidence.seconds < 0.05) return undefined;
  return {
    id: 'no-pipelining',
    kind: 'waste',
    title: 'Commands arrive one by one',
    measured: `${Math.round(commands / evidence.seconds).toLocaleString('en')} commands a second, ${perRead.toFixed(1)} for each read; ${percent(overhead)} of the server's time goes into sending and receiving`,
    threshold: 'fewer than 1.5 commands a read, at 2,000 commands a second or more',
    share: overhead,
    shareOf: "of the server's time",
    fix: 'Issue commands that do not depend on each other together (Promise.all on one Redkeep client is enough), or use multi-key commands.',
  };
};

const churn: Rule = (evidence) => {
  const connections = Math.max(0, growth(evidence, 'total_connections_received') - 1);
  const commands = growth(evidence, 'total_commands_processed');
  const rate = connections / evidence.seconds;
  if (rate < 5 || commands / Math.max(1, connections) > 50) return undefined;
  return {
    id: 'connection-churn',
    kind: 'slow',
    title: 'Clients connect anew all the time',
    measured: `${Math.round(rate)} new connections a second, ${(commands / connections).toFixed(1)} commands each`,
    threshold:
      '5 a second with fewer than 50 commands each: connecting costs more than the commands, with TLS a hundred times more',
    share: Math.min(1, 1 / Math.max(1, commands / connections / 2)),
    shareOf: 'of round trips',
    fix: 'Keep one client for the life of the process; in serverless functions create it outside the handler.',
  };
};

const eventLoop: Rule = (evidence) => {
  const worst = quantile(evidence.pings, 0.95);
  const best = evidence.pings[0];
  if (worst === undefined || best === undefined || evidence.pings.length < 10) return undefined;
  const waited = worst - best - 2 * evidence.ownDelay;
  const busy = serverShare(evidence, timeOf(evidence.commands));
  if (waited < 20_000 || busy > 0.02) return undefined;
  return {
    id: 'unsteady-answers',
    kind: 'slow',
    title: 'Answers come late although the server has little to do',
    measured: `PING: ${microseconds(best)} at best, ${microseconds(worst)} for one in twenty; commands use ${percent(busy)} of the time`,
    threshold: '20 ms between the best and the 95th percentile, with less than 2 % of the time in commands',
    share: Math.min(1, waited / 1e6),
    shareOf: 'of a second, each time',
    fix: 'Look at the network, at other work on the machine (a steal time, CPU limits of the container), and at swap.',
  };
};

const monitor: Rule = ({ clients }) => {
  const watching = clients.filter(({ flags }) => flags.includes('O'));
  if (watching.length === 0) return undefined;
  return {
    id: 'monitor-attached',
    kind: 'slow',
    title: 'MONITOR is running',
    measured: `${count(watching.length, 'client')} reading every command: ${watching.map(({ address }) => address).join(', ')}`,
    threshold: 'any: it can halve the throughput, and it shows everybody’s data',
    share: 0.5,
    shareOf: 'of throughput at worst',
    fix: `End it: CLIENT KILL ADDR ${watching[0]!.address}`,
    risk: 'A debugging session on it has to start again.',
    undo: 'Run MONITOR again.',
  };
};

const blockedByAbsence: Rule = (evidence) => {
  const blocked = numberOf(evidence.after, 'blocked_clients') ?? 0;
  const connected = numberOf(evidence.after, 'connected_clients') ?? 0;
  const paused = evidence.clients.filter(({ flags }) => flags.includes('b') && !flags.includes('S'));
  const reason = evidence.after['paused_reason'];
  if (reason !== undefined && reason !== 'none' && reason !== '')
    return {
      id: 'clients-paused',
      kind: 'failing',
      title: 'Clients are paused',
      measured: `paused_reason: ${reason}, for another ${evidence.after['paused_timeout_milliseconds'] ?? '?'} ms; ${count(blocked, 'client')} waiting`,
      threshold: 'any',
      share: 1,
      shareOf: 'of writes',
      fix: 'CLIENT UNPAUSE, once the work that paused them is done.',
      risk: 'A failover or a backup may be under way.',
      undo: 'CLIENT PAUSE again.',
    };
  if (connected < 10 || paused.length / connected < 0.9) return undefined;
  return {
    id: 'mostly-blocked',
    kind: 'waste',
    title: 'Nearly all connections wait in blocking commands',
    measured: `${blocked} of ${count(connected, 'connection')}`,
    threshold: '90 % of at least 10',
    share: blocked / connected,
    shareOf: 'of connections',
    fix: 'If workers wait for jobs, this is what they do; if requests wait, use a connection of their own for blocking commands.',
  };
};

export const serverTimeRules: readonly Rule[] = [
  expensiveCommand,
  scripts,
  longCommand,
  slowSingle,
  saturated,
  pipelining,
  churn,
  eventLoop,
  monitor,
  blockedByAbsence,
];
