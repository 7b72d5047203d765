/**
 * Commands that destroy data, stop or reconfigure a server, hand out its data or block it for long, with the harm that
 * each can do. The one table of them: the client's `guarded` policy refuses those marked `refused`, so that a bug or an
 * injected name in an application cannot reach them; audits and ACL expectations judge users by all of them. What the
 * policy allows although Redis lists it under @dangerous: INFO, ROLE, SORT, CLIENT LIST and other reads that monitoring
 * needs and that cost little, and scripts, which applications rely on.
 */

/** What somebody gains by being able to run the command. */
export type DangerGroup = 'general' | 'scripting' | 'restore' | 'replication' | 'config' | 'acl' | 'topology';

export interface DangerousCommand {
  /** Upper case, subcommand after a space: `CONFIG SET`. */
  readonly name: string;
  readonly group: DangerGroup;
  /** What it does, to follow the name: "deletes all data". */
  readonly harm: string;
  /** The `guarded` command policy of clients refuses it. */
  readonly refused: boolean;
}

const REFUSED: Readonly<Record<DangerGroup, Readonly<Record<string, string>>>> = {
  general: {
    FLUSHALL: 'deletes all data',
    FLUSHDB: 'deletes a database',
    SWAPDB: 'exchanges the data of two databases',
    KEYS: 'stops the server while it walks every key',
    'FT.DROPINDEX': 'deletes an index, and with DD every document of it',
    SHUTDOWN: 'stops the server',
    DEBUG: 'crashes or inspects the server',
    PFDEBUG: 'changes the encoding of a value',
    PFSELFTEST: 'stops the server while it tests itself',
    SAVE: 'stops the server while it writes to disk',
    BGSAVE: 'forks and writes to disk at will',
    BGREWRITEAOF: 'forks and writes to disk at will',
    'MEMORY PURGE': 'stops the server while it returns memory',
    'CLIENT KILL': 'disconnects others',
    'CLIENT PAUSE': 'stops all clients',
    'CLIENT NO-EVICT': 'exempts a client from the memory limit',
    'LATENCY RESET': 'erases evidence',
    'SLOWLOG RESET': 'erases evidence',
    'COMMANDLOG RESET': 'erases evidence',
  },
  config: {
    'CONFIG SET': 'changes where and what the server writes, which is a way to code execution',
    'CONFIG REWRITE': 'makes a changed configuration permanent',
    'CONFIG RESETSTAT': 'erases evidence',
    'FT.CONFIG SET': 'changes the limits of the search module',
    'MODULE LOAD': 'loads native code into the server',
    'MODULE LOADEX': 'loads native code into the server',
    'MODULE UNLOAD': 'removes native code that others rely on',
    'SENTINEL CONFIG SET': 'changes how Sentinel decides',
    'SENTINEL FLUSHCONFIG': 'rewrites the configuration of Sentinel',
    'SENTINEL SET': 'changes how Sentinel decides, and which scripts it runs',
    'SENTINEL DEBUG': 'changes the timing of Sentinel',
  },
  acl: {
    'ACL SETUSER': 'gives itself every right',
    'ACL DELUSER': 'disconnects and deletes users',
    'ACL LOAD': 'replaces all users with those of a file',
    'ACL SAVE': 'makes changed users permanent',
  },
  scripting: {
    'SCRIPT FLUSH': 'empties the script cache of everyone',
    'SCRIPT KILL': 'ends the script of another client',
    'SCRIPT DEBUG': 'stops the server while a script is debugged',
    'FUNCTION FLUSH': 'deletes all function libraries',
    'FUNCTION DELETE': 'deletes a function library',
    'FUNCTION RESTORE': 'replaces function libraries',
    'FUNCTION KILL': 'ends the function of another client',
  },
  restore: {
    MIGRATE: 'sends keys and credentials to any host',
    RESTORE: 'parses binary values that an attacker can have made (CVE-2026-25243, CVE-2026-66373)',
    'RESTORE-ASKING': 'parses binary values that an attacker can have made (CVE-2026-25243, CVE-2026-66373)',
  },
  replication: {
    SYNC: 'copies the whole data set, whatever the key patterns of the user are',
    PSYNC: 'copies the whole data set, whatever the key patterns of the user are',
    REPLCONF: 'belongs to replication',
    MONITOR: 'reads every command of every client',
  },
  topology: {
    REPLICAOF: 'makes the server copy another one, which can feed it anything',
    SLAVEOF: 'makes the server copy another one, which can feed it anything',
    FAILOVER: 'moves the primary role',
    'CLUSTER ADDSLOTS': 'changes which node serves which keys',
    'CLUSTER ADDSLOTSRANGE': 'changes which node serves which keys',
    'CLUSTER BUMPEPOCH': 'changes which node wins a conflict of slots in the cluster',
    'CLUSTER CANCELSLOTMIGRATIONS': 'ends a resharding',
    'CLUSTER DELSLOTS': 'changes which node serves which keys',
    'CLUSTER DELSLOTSRANGE': 'changes which node serves which keys',
    'CLUSTER FAILOVER': 'moves the primary role',
    'CLUSTER FLUSHSLOT': 'deletes the keys of a slot',
    'CLUSTER FLUSHSLOTS': 'makes the node serve no keys',
    'CLUSTER FORGET': 'removes a node from the cluster',
    'CLUSTER MEET': 'joins a foreign node to the cluster',
    'CLUSTER REPLICATE': 'turns a node into a replica',
    'CLUSTER RESET': 'makes the node forget the cluster, and a replica its data',
    'CLUSTER SAVECONFIG': 'writes to disk at will',
    'CLUSTER SET-CONFIG-EPOCH': 'changes which node wins a conflict of slots in the cluster',
    'CLUSTER SETSLOT': 'changes which node serves which keys',
    'CLUSTER MIGRATESLOTS': 'changes which node serves which keys',
    'CLUSTER SYNCSLOTS': 'copies the data of slots',
    'SENTINEL FAILOVER': 'moves the primary role',
    'SENTINEL MONITOR': 'makes Sentinel manage a foreign server',
    'SENTINEL REMOVE': 'ends monitoring and failover of a primary',
    'SENTINEL RESET': 'makes Sentinel forget replicas and other Sentinels',
    'SENTINEL SIMULATE-FAILURE': 'crashes Sentinel',
  },
};

const JUDGED_ONLY: Readonly<Partial<Record<DangerGroup, Readonly<Record<string, string>>>>> = {
  general: {
    'MODULE LIST': 'shows which native code is loaded',
    'CLIENT LIST': 'shows who is connected from where',
    SCAN: 'reads key names outside the key patterns of the user',
    RANDOMKEY: 'reads key names outside the key patterns of the user',
    SORT: 'reads keys outside the key patterns of the user through BY and GET',
    'SLOWLOG GET': 'reads arguments of other clients',
  },
  config: { 'CONFIG GET': 'reads passwords of the configuration' },
  acl: { 'ACL LIST': 'reads all users and password hashes' },
  scripting: {
    EVAL: 'runs Lua, which most code-execution flaws of 2024 to 2026 need',
    EVALSHA: 'runs cached Lua',
    FCALL: 'runs library functions',
    'FUNCTION LOAD': 'stores Lua that others will run',
    'SCRIPT LOAD': 'stores Lua',
  },
};

/** Every dangerous command by its name. */
export const DANGEROUS_COMMANDS: ReadonlyMap<string, DangerousCommand> = new Map(
  [...entries(REFUSED, true), ...entries(JUDGED_ONLY, false)].map((command) => [command.name, command] as const),
);

function entries(
  groups: Readonly<Partial<Record<DangerGroup, Readonly<Record<string, string>>>>>,
  refused: boolean,
): DangerousCommand[] {
  return Object.entries(groups).flatMap(([group, commands]) =>
    Object.entries(commands).map(([name, harm]) => ({ name, group: group as DangerGroup, harm, refused })),
  );
}
