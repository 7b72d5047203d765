/** The reply of INFO: fields as they come, repeated ones (modules) as a list. */
export interface Info {
  readonly fields: ReadonlyMap<string, string>;
  /** Values of the lines `module:name=…`. */
  readonly modules: readonly string[];
}

/** Counters of one command in `INFO commandstats`. */
export interface CommandCounters {
  readonly calls: number;
  readonly usec: number;
  /** Refused before they ran: wrong arguments, no permission. Redis 6.2 and later. */
  readonly rejected: number;
  /** Ran and ended in an error. Redis 6.2 and later. */
  readonly failed: number;
}

export function parseInfo(text: string): Info {
  const fields = new Map<string, string>();
  const modules: string[] = [];
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon <= 0 || line.startsWith('#')) continue;
    const name = line.slice(0, colon);
    const value = line.slice(colon + 1);
    if (name === 'module') modules.push(value);
    else fields.set(name, value);
  }
  return { fields, modules };
}

/** Reads `name=value,name=value`, the form of keyspace, replica and command lines. */
export function pairsOf(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => {
    const equals = pair.indexOf('=');
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
  });
  return Object.fromEntries(pairs);
}

/** A field as a number; undefined where it is absent or not a number. */
export function numberOf({ fields }: Info, name: string): number | undefined {
  const value = Number(fields.get(name) || Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

/** Commands by their name in `INFO commandstats`, lower case: `config|set`. */
export function commandCounters({ fields }: Info): Map<string, CommandCounters> {
  const commands = new Map<string, CommandCounters>();
  for (const [name, value] of fields) {
    if (!name.startsWith('cmdstat_')) continue;
    const { calls, usec, rejected_calls: rejected, failed_calls: failed } = pairsOf(value);
    commands.set(name.slice('cmdstat_'.length).toLowerCase(), {
      calls: Number(calls),
      usec: Number(usec),
      rejected: Number(rejected ?? 0),
      failed: Number(failed ?? 0),
    });
  }
  return commands;
}

/** Codes that servers give. A script can answer with any word, and each would become a series of its own. */
const errorCodes = new Set(
  [
    'ERR WRONGTYPE NOAUTH WRONGPASS NOPERM NOPROTO NOSCRIPT LOADING BUSY BUSYKEY BUSYGROUP NOGROUP UNBLOCKED OOM',
    'MASTERDOWN MISCONF READONLY NOREPLICAS NOMASTERLINK EXECABORT MOVED ASK CROSSSLOT TRYAGAIN CLUSTERDOWN REDIRECT',
    'DENIED NOTBUSY UNKILLABLE INPROG NOQUORUM NOGOODSLAVE IOERR NOTREADY INVALIDOBJ ERRORSTATS_DISABLED',
  ].flatMap((line) => line.split(' ')),
);

/** Errors by their code in `INFO errorstats` (Redis 6.2): `NOAUTH`, `WRONGPASS`; what no server gives is `other`. */
export function errorCounters({ fields }: Info): Map<string, number> {
  const errors = new Map<string, number>();
  for (const [name, value] of fields) {
    if (!name.startsWith('errorstat_')) continue;
    const code = name.slice('errorstat_'.length);
    const known = errorCodes.has(code) ? code : 'other';
    errors.set(known, (errors.get(known) ?? 0) + Number(pairsOf(value)['count']));
  }
  return errors;
}

export interface ReplicaLine {
  readonly ip: string;
  readonly port: string;
  readonly state: string;
  readonly offset: number;
  readonly lag: number | undefined;
}

/** Replicas that are connected to this server. */
export function replicasOf({ fields }: Info): ReplicaLine[] {
  return [...fields]
    .filter(([name]) => /^slave\d+$/.test(name))
    .map(([, value]) => {
      const { ip = '', port = '', state = '', offset, lag } = pairsOf(value);
      return { ip, port, state, offset: Number(offset), lag: lag === undefined ? undefined : Number(lag) };
    });
}
