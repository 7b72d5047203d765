/**
 * Every diagnostics channel. Messages carry command names, sizes, durations and outcomes: never arguments, so that a
 * subscriber cannot leak what it never had.
 */

import { channel } from 'node:diagnostics_channel';
import { performance } from './clock.js';
import type { Command } from './commands/command.js';
import { describeEndpoint, type Endpoint } from './connection/transport.js';
import { ErrorReply } from './errors.js';

/** {@link CommandMessage} after each command, transaction and pipeline. */
export const commandChannel = channel('redkeep:command');
/** {@link ConnectionMessage} at each step of a connection's life. */
export const connectionChannel = channel('redkeep:connection');
/** {@link ProtectionMessage} when a command is refused, held back, sent again or led elsewhere. */
export const protectionChannel = channel('redkeep:protection');
/** {@link PoolMessage} when a client of a pool is borrowed and given back. */
export const poolChannel = channel('redkeep:pool');

/** Where something happened. */
export interface ServerInfo {
  /** Host and port, or the socket's path. */
  readonly server: string;
  /** The host, or the socket's path. */
  readonly address: string;
  /** Undefined for a Unix socket. */
  readonly port: number | undefined;
}

export interface CommandMessage extends ServerInfo {
  /** `SET`, `CONFIG GET`; for a transaction or pipeline `MULTI` or `PIPELINE`, with the name if all are the same. */
  readonly command: string;
  /** Commands in the transaction or pipeline; undefined for a single one. */
  readonly batchSize: number | undefined;
  readonly database: number;
  /** Milliseconds since 1970, with fractions. */
  readonly startTime: number;
  readonly durationMs: number;
  /** Bytes of the arguments. */
  readonly bytes: number;
  /** Digest of the script that EVALSHA named. */
  readonly script: string | undefined;
  readonly ok: boolean;
  readonly errorCode: string | undefined;
  /** First word of the server's refusal: `WRONGTYPE`. */
  readonly replyError: string | undefined;
}

export interface ConnectionMessage extends ServerInfo {
  /** `lost`: a connection that was ready is gone. It comes before the `error` or `end` that says why. */
  readonly event: 'connect' | 'ready' | 'reauthenticated' | 'lost' | 'error' | 'end' | 'reconnecting';
  readonly errorCode: string | undefined;
  /** With `ready`: milliseconds that connecting took, handshakes included. */
  readonly durationMs: number | undefined;
  /** With `ready` over TLS. */
  readonly tls: { readonly protocol: string; readonly cipher: string; readonly validTo: Date } | undefined;
}

export type ProtectionMessage =
  | { readonly event: 'refused' | 'rate-limited'; readonly command: string; readonly errorCode: string }
  | { readonly event: 'rate-waited'; readonly command: string }
  | { readonly event: 'retry'; readonly command: string; readonly attempt: number; readonly server: string }
  | { readonly event: 'redirect'; readonly command: string; readonly kind: string; readonly server: string }
  | { readonly event: 'circuit'; readonly state: 'closed' | 'open' | 'half-open'; readonly server: string };

export interface PoolMessage extends ServerInfo {
  /** `waiting` and `waited` frame the time in the queue of one that found no free client. */
  readonly event: 'waiting' | 'waited' | 'timeout' | 'acquired' | 'released';
  /** With `acquired` the milliseconds of waiting, with `released` those of use. */
  readonly durationMs: number | undefined;
}

const infos = new WeakMap<Endpoint, ServerInfo>();

export function serverInfo(endpoint: Endpoint): ServerInfo {
  const known = infos.get(endpoint);
  if (known !== undefined) return known;
  const server = describeEndpoint(endpoint);
  const info: ServerInfo =
    endpoint.kind === 'unix'
      ? { server, address: endpoint.path, port: undefined }
      : { server, address: endpoint.host, port: endpoint.port };
  infos.set(endpoint, info);
  return info;
}

/** What a command runs on. */
export interface Place {
  readonly endpoint: Endpoint;
  readonly database: number;
}

/** The same promise; what becomes of it is published, when somebody listens. */
export function observed<P extends Promise<unknown>>(command: Command, place: Place, promise: P): P {
  return publishOutcome(command.spec.name, [command], undefined, place, promise);
}

/** {@link observed} for commands that are sent as one. */
export function observedBatch<P extends Promise<unknown>>(
  kind: 'MULTI' | 'PIPELINE',
  commands: readonly Command[],
  place: Place,
  promise: P,
): P {
  const [name] = commands.map(({ spec }) => spec.name);
  const alike = name !== undefined && commands.every(({ spec }) => spec.name === name);
  return publishOutcome(alike ? `${kind} ${name}` : kind, commands, commands.length, place, promise);
}

function publishOutcome<P extends Promise<unknown>>(
  command: string,
  commands: readonly Command[],
  batchSize: number | undefined,
  place: Place,
  promise: P,
): P {
  if (!commandChannel.hasSubscribers) return promise;
  const started = performance.now();
  const bytes = commands.reduce((sum, { args }) => sum + args.reduce<number>((n, arg) => n + bytesOf(arg), 0), 0);
  const script = batchSize === undefined ? digestOf(commands[0]!) : undefined;
  const publish = (error?: unknown) => {
    const message: CommandMessage = {
      ...serverInfo(place.endpoint),
      command,
      batchSize,
      database: place.database,
      startTime: performance.timeOrigin + started,
      durationMs: performance.now() - started,
      bytes,
      script,
      ok: error === undefined,
      errorCode: errorCode(error),
      replyError: error instanceof ErrorReply ? error.prefix : undefined,
    };
    commandChannel.publish(message);
  };
  promise.then(
    () => publish(),
    (error) => publish(error ?? new Error('rejected')),
  );
  return promise;
}

function bytesOf(arg: unknown): number {
  if (typeof arg === 'string') return Buffer.byteLength(arg);
  return arg instanceof Uint8Array ? arg.length : String(arg).length;
}

function digestOf({ spec, args }: Command): string | undefined {
  const digest = spec.name.startsWith('EVALSHA') ? args[0] : undefined;
  return typeof digest === 'string' && /^[0-9a-f]{40}$/i.test(digest) ? digest.toLowerCase() : undefined;
}

/** A stable code where the error has one, else its class. Errors of an application may have anything in their place. */
export function errorCode(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  const { code, name } = error as { code?: unknown; name?: unknown };
  return [code, name].find((text): text is string => typeof text === 'string' && /^\w{1,64}$/.test(text)) ?? 'Error';
}
