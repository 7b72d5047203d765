import { growth, numberOf } from '../evidence.js';
import { count, type Found, percent, type Rule } from '../finding.js';

type ErrorMeaning = Pick<Found, 'title' | 'fix' | 'risk' | 'undo'>;

/** The server's error words (`INFO errorstats`, Redis 6.2) that mean something is broken, and what to do about each. */
const meanings: Readonly<Record<string, ErrorMeaning>> = {
  OOM: {
    title: 'Writes are refused because memory is full',
    fix: 'Raise maxmemory, remove data, or let the server evict: CONFIG SET maxmemory-policy allkeys-lru (for a cache only).',
    risk: 'An eviction policy deletes data without asking; more memory needs a machine that has it.',
    undo: 'Set the earlier value again.',
  },
  MISCONF: {
    title: 'Writes are refused because the last snapshot failed',
    fix: 'Look at the server log for the reason (disk full, no permission, fork failed), fix it, then run BGSAVE.',
    risk: 'BGSAVE forks: it needs memory for what changes meanwhile.',
  },
  NOREPLICAS: {
    title: 'Writes are refused because too few replicas are in step',
    fix: 'Bring the replicas back; INFO replication shows which are missing.',
    risk: 'Lowering min-replicas-to-write instead gives up the protection against losing acknowledged writes.',
  },
  READONLY: {
    title: 'Clients write to a replica',
    fix: 'Let clients find the primary: Sentinel or Cluster addresses instead of a fixed host.',
  },
  BUSY: {
    title: 'A script blocks the server',
    fix: 'Find it in SLOWLOG; shorten it or work in batches. SCRIPT KILL ends one that has not written.',
    risk: 'SCRIPT KILL fails the caller.',
  },
  LOADING: {
    title: 'Clients arrive while the server loads its data',
    fix: 'Wait for it; INFO persistence shows how far it is. Ask why it restarted.',
  },
  MASTERDOWN: {
    title: 'A replica refuses reads because its primary is away',
    fix: 'Bring the primary back or fail over.',
    risk: 'replica-serve-stale-data yes instead serves old values.',
  },
  CLUSTERDOWN: {
    title: 'The cluster refuses commands',
    fix: 'CLUSTER NODES shows the slots without a primary: bring that node or its replica back.',
  },
  WRONGPASS: {
    title: 'Logins with a wrong password',
    fix: 'ACL LOG names the user and the address: give that client the current password.',
    risk: 'None. If the address is not one of yours, somebody is guessing.',
  },
  NOAUTH: {
    title: 'Commands without a login',
    fix: 'Find clients without credentials: CLIENT LIST shows addresses. Set user and password there.',
    risk: 'None. If the address is not one of yours, somebody is probing.',
  },
  NOPERM: {
    title: 'Commands are refused for lack of permission',
    fix: 'ACL LOG names the user, the command and the key. Grant exactly that, or correct the client.',
    risk: 'Each permission that is granted is one more that an attacker has.',
    undo: 'ACL SETUSER with the rule taken away.',
  },
  WRONGTYPE: {
    title: 'Commands meet keys of another type',
    fix: 'Two parts of the application use one key name for different things: give each its prefix.',
  },
  EXECABORT: {
    title: 'Transactions are discarded',
    fix: 'A command inside MULTI was refused when it was queued; the application has the error.',
  },
  CROSSSLOT: {
    title: 'Commands use keys of several slots',
    fix: 'Give keys that belong together a common hash tag: user:{42}:name.',
    risk: 'Renaming keys moves data.',
    undo: 'Rename them back.',
  },
};

function errorsOf(info: Readonly<Record<string, string>>, word: string): number {
  return Number(/count=(\d+)/.exec(info[`errorstat_${word}`] ?? '')?.[1] ?? 0);
}

/** One rule for each error word: counts while watched weigh as failures of now, older ones as a hint. */
export const errorRules: readonly Rule[] = Object.entries(meanings).map(
  ([word, meaning]): Rule =>
    (evidence) => {
      const total = errorsOf(evidence.after, word);
      const recent = Math.max(0, total - errorsOf(evidence.before, word));
      if (total === 0) return undefined;
      const commands = growth(evidence, 'total_commands_processed');
      const uptime = numberOf(evidence.after, 'uptime_in_seconds') ?? 0;
      const all = numberOf(evidence.after, 'total_commands_processed') ?? 0;
      const share = recent > 0 ? recent / Math.max(recent, commands) : total / Math.max(total, all);
      // A few of these since the start are ordinary; nobody is helped by a warning about them.
      if (recent === 0 && (share < 0.001 || total < 10)) return undefined;
      return {
        id: `errors-${word.toLowerCase()}`,
        kind: recent > 0 ? 'failing' : 'waste',
        ...meaning,
        measured:
          recent > 0
            ? `${count(recent, `${word} error`)} in ${Math.round(evidence.seconds)} s`
            : `${count(total, `${word} error`)} in the ${Math.round(uptime / 60)} minutes since the start; none while watched`,
        threshold: recent > 0 ? 'any while watched' : 'at least 10, and one command in a thousand',
        share,
        shareOf: 'of commands',
      };
    },
);

const rejectedConnections: Rule = (evidence) => {
  const recent = growth(evidence, 'rejected_connections');
  const connected = numberOf(evidence.after, 'connected_clients') ?? 0;
  const most = numberOf(evidence.after, 'maxclients') ?? 0;
  const used = most > 0 ? connected / most : 0;
  if (recent === 0 && used < 0.8) return undefined;
  return {
    id: 'connections-exhausted',
    kind: recent > 0 ? 'failing' : 'next',
    title: recent > 0 ? 'Connections are refused' : 'Connections are about to be refused',
    measured: `${connected} of ${most} connections in use; ${recent} refused while watched`,
    threshold: '80 % of maxclients, because a restart of one application doubles its connections for a moment',
    share: recent > 0 ? 1 : used,
    shareOf: 'of maxclients',
    fix: 'Close idle connections (CONFIG SET timeout 300), use fewer per process, or raise maxclients.',
    risk: 'timeout ends connections that sit idle; clients have to reconnect. maxclients needs file descriptors.',
    undo: 'CONFIG SET with the earlier value.',
  };
};

/** Old keyspace misses are not a fault of the server, but a cache that misses most of the time costs without helping. */
const cacheMisses: Rule = (evidence) => {
  const hits = growth(evidence, 'keyspace_hits');
  const misses = growth(evidence, 'keyspace_misses');
  const share = misses / Math.max(1, hits + misses);
  if (hits + misses < 1000 || share < 0.5) return undefined;
  return {
    id: 'cache-misses',
    kind: 'waste',
    title: 'Most look-ups find nothing',
    measured: `${percent(share)} of ${count(hits + misses, 'look-up')} missed`,
    threshold: '50 %, at 1,000 look-ups or more',
    share,
    shareOf: 'of look-ups',
    fix: 'Check whether keys expire or are evicted too early, or whether readers and writers build the key differently.',
    risk: 'Longer expiry needs more memory.',
    undo: 'Set the earlier expiry.',
  };
};

export const requestRules: readonly Rule[] = [...errorRules, rejectedConnections, cacheMisses];
