/** SLOWLOG, and COMMANDLOG of Valkey: commands that took long or were large. Their arguments are in the answers. */
import type { BlobString, Integer, SimpleString } from '../protocol/types.js';
import { word } from './arguments.js';
import { Command, spec } from './command.js';

export interface CommandLogEntry {
  id: Integer;
  /** Unix time in seconds. */
  timestamp: Integer;
  /** Microseconds in SLOWLOG and of type `SLOW`, else bytes. */
  value: Integer;
  /** Cut by the server where they are many or long. */
  arguments: BlobString[];
  clientAddress: BlobString;
  clientName: BlobString;
}
type RawEntry = [unknown, unknown, unknown, unknown, unknown, unknown];
const readEntries = (reply: RawEntry[]) =>
  reply.map(([id, timestamp, value, args, clientAddress, clientName]) => ({
    id,
    timestamp,
    value,
    arguments: args,
    clientAddress,
    clientName,
  }));

const SLOWLOG_GET = spec('SLOWLOG GET', { read: readEntries });
/** The newest entries, by default 10; -1 for all. Redis 2.2.12. */
export const slowLogGet = (count?: number) =>
  new Command<CommandLogEntry[]>(SLOWLOG_GET, count === undefined ? [] : [count]);

const SLOWLOG_LEN = spec('SLOWLOG LEN');
/** How many entries there are. Redis 2.2.12. */
export const slowLogLen = () => new Command<Integer>(SLOWLOG_LEN, []);

const SLOWLOG_RESET = spec('SLOWLOG RESET');
/** Forgets them. Refused by the guarded policy. Redis 2.2.12. */
export const slowLogReset = () => new Command<SimpleString<'OK'>>(SLOWLOG_RESET, []);

export type CommandLogType = 'SLOW' | 'LARGE-REQUEST' | 'LARGE-REPLY';
const typeWord = (command: string, type: CommandLogType) =>
  word(command, 'type', type, ['SLOW', 'LARGE-REQUEST', 'LARGE-REPLY']);

const COMMANDLOG_GET = spec('COMMANDLOG GET', { read: readEntries });
/** The newest entries of a type; -1 for all. Valkey 8.1. */
export const commandLogGet = (count: number, type: CommandLogType) =>
  new Command<CommandLogEntry[]>(COMMANDLOG_GET, [count, typeWord('COMMANDLOG GET', type)]);

const COMMANDLOG_LEN = spec('COMMANDLOG LEN');
/** How many entries of a type there are. Valkey 8.1. */
export const commandLogLen = (type: CommandLogType) =>
  new Command<Integer>(COMMANDLOG_LEN, [typeWord('COMMANDLOG LEN', type)]);

const COMMANDLOG_RESET = spec('COMMANDLOG RESET');
/** Forgets those of a type. Refused by the guarded policy. Valkey 8.1. */
export const commandLogReset = (type: CommandLogType) =>
  new Command<SimpleString<'OK'>>(COMMANDLOG_RESET, [typeWord('COMMANDLOG RESET', type)]);

export const aliases = {
  commandLogGet: 'COMMANDLOG_GET',
  commandLogLen: 'COMMANDLOG_LEN',
  commandLogReset: 'COMMANDLOG_RESET',
  slowLogGet: 'SLOWLOG_GET',
  slowLogLen: 'SLOWLOG_LEN',
  slowLogReset: 'SLOWLOG_RESET',
} as const;
