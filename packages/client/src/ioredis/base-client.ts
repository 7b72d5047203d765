/** What a client and a cluster have in common: bound commands, pipelines, scripts, subscriptions, streams. */

import { EventEmitter } from 'node:events';
import { nextTick } from '../clock.js';
import type { DispatchOptions } from '../connection/connection.js';
import type { TransactionTarget } from '../dispatcher.js';
import { RedkeepError } from '../errors.js';
import type { PubSubListener, PubSubType } from '../pubsub/pub-sub.js';
import type { IoredisCommand } from './command.js';
import { entryOf } from './command-entry.js';
import {
  bindCommand,
  bindCommander,
  bindScript,
  type Callback,
  type CommandSource,
  type Runner,
  Script,
  type ScriptDefinition,
  withCallback,
} from './commander.js';
import type { ChainableCommander } from './commander-types.js';
import { type ErrorTranslator, translateError, translateErrorWithArguments, withCallerStack } from './errors.js';
import { commandTimeoutOf, type RedisOptions } from './options.js';
import { type PairResult, Pipeline, type PipelineOwner } from './pipeline.js';
import { typeMappings } from './replies.js';
import { ScanStream, type ScanStreamOptions } from './scan-stream.js';
import { Subscriptions } from './subscriptions.js';
import { CALL_OPTIONS, READY, RUN, TARGET } from './symbols.js';

const MULTI_ERROR = 'MULTI calls can not be nested';

export abstract class BaseClient<Status extends string> extends EventEmitter implements Runner, PipelineOwner {
  abstract readonly options: object;
  abstract readonly isCluster: boolean;
  abstract status: Status;
  /** Scripts by name. */
  readonly scriptsSet: Record<string, Script> = {};
  protected readonly translate: ErrorTranslator;
  readonly #text: DispatchOptions;
  readonly #bytes: DispatchOptions;
  readonly #idempotent: (name: string) => boolean;
  readonly #hasIdempotent: boolean;
  readonly #friendlyStacks: boolean;
  readonly #stringNumbers: boolean;
  protected readonly subscriptions: Subscriptions;
  #Pipeline: typeof Pipeline = Pipeline;
  /** Commands collected between `multi({ pipeline: false })` and `exec()`. */
  #transaction: Pipeline | undefined;

  constructor(given: RedisOptions) {
    super();
    const { text, bytes } = typeMappings({
      stringNumbers: given.stringNumbers === true,
      resp3: given.replyMapping === 'resp3',
    });
    const timeout = commandTimeoutOf(given);
    this.translate = given.argumentsInErrors === true ? translateErrorWithArguments : translateError;
    this.#text = { timeout, typeMapping: text, translateError: this.translate };
    this.#bytes = { timeout, typeMapping: bytes, translateError: this.translate };
    this.#idempotent = namesMatcher(given.idempotentCommands ?? []);
    this.#hasIdempotent = (given.idempotentCommands ?? []).length > 0;
    this.#friendlyStacks = given.showFriendlyErrorStack === true;
    this.#stringNumbers = given.stringNumbers === true;
    this.subscriptions = new Subscriptions(
      {
        subscribe: (type, names, listener, buffers) =>
          this.addListeners(type, names, listener as PubSubListener<boolean>, buffers),
        unsubscribe: (type, names) => this.removeListeners(type, names),
      },
      this,
    );
  }

  abstract [TARGET](): TransactionTarget;
  abstract [READY](): Promise<void> | undefined;
  abstract knowsScript(script: Script): boolean;
  abstract runScriptText(script: Script, command: ReturnType<Script['build']>, bytes: boolean): Promise<unknown>;
  /** Runs what a bound method built. @throws InvalidArgumentError */
  protected abstract run(source: CommandSource, args: unknown[], bytes: boolean): Promise<unknown>;

  /** Subscribes where messages come from. */
  protected abstract addListeners(
    type: PubSubType,
    names: readonly string[],
    listener: PubSubListener<boolean>,
    buffers: boolean,
  ): Promise<void>;
  protected abstract removeListeners(type: PubSubType, names: readonly string[]): Promise<void>;

  // ---------------------------------------------------------------- status

  protected setStatus(status: Status, argument?: unknown): void {
    this.status = status;
    this.emitLater(status, argument);
  }
  protected emitLater(event: string, argument?: unknown): void {
    nextTick(() => this.emit(event, argument));
  }

  /** Errors without a listener go to the console, as in ioredis, instead of ending the process. */
  protected emitSilently(event: string, argument: unknown): void {
    if (this.status === 'end') return;
    if (this.listenerCount(event) > 0) this.emit(event, argument);
    else if (event === 'error' && argument instanceof Error)
      console.error('[redkeep] Unhandled error event:', argument.stack);
  }

  // ---------------------------------------------------------------- commands

  [CALL_OPTIONS](bytes: boolean): DispatchOptions {
    return bytes ? this.#bytes : this.#text;
  }

  [RUN](source: CommandSource, args: unknown[], bytes: boolean, callback: Parameters<typeof withCallback>[1]): unknown {
    let promise: Promise<unknown>;
    try {
      if (this.#transaction === undefined) promise = this.run(source, args, bytes);
      else {
        this.#transaction[RUN](source, args, bytes, undefined);
        promise = Promise.resolve('QUEUED');
      }
    } catch (error) {
      promise = Promise.reject(error);
    }
    return callback === undefined ? promise : withCallback(promise, callback);
  }

  protected optionsOf({ name }: CommandSource, bytes: boolean): DispatchOptions {
    let options = bytes ? this.#bytes : this.#text;
    if (this.#hasIdempotent && this.#idempotent(name)) options = { ...options, idempotent: true };
    if (this.#friendlyStacks) {
      const caller: { stack?: string } = {};
      Error.captureStackTrace(caller, this[RUN]);
      options = { ...options, translateError: withCallerStack(caller, this.translate) };
    }
    return options;
  }

  /** Makes a command that is not in the table a method of this client and of its pipelines. */
  addBuiltinCommand(name: string): void {
    for (const target of [this, this.#ownPipeline().prototype]) bindCommand(target, name);
  }

  #ownPipeline(): typeof Pipeline {
    if (this.#Pipeline === Pipeline) this.#Pipeline = class OwnPipeline extends Pipeline {};
    return this.#Pipeline;
  }

  /** Makes a Lua script a method of this client and of its pipelines. */
  defineCommand(name: string, definition: ScriptDefinition): void {
    const script = new Script(name, definition);
    this.scriptsSet[name] = script;
    bindScript(this, script);
    bindScript(this.#ownPipeline().prototype, script);
  }

  /** Runs a {@link IoredisCommand}. */
  sendCommand(command: IoredisCommand): Promise<unknown> {
    const bytes = command.options.replyEncoding === null || command.options.replyEncoding === undefined;
    return command.settle(this[RUN](entryOf(command.name), command.args.slice(), bytes, undefined) as Promise<unknown>);
  }

  // ---------------------------------------------------------------- transactions

  /** Commands that are sent together; `exec` resolves with `[error, result]` of each. */
  pipeline(commands?: readonly unknown[][]): ChainableCommander {
    const pipeline = new this.#Pipeline(this);
    if (Array.isArray(commands)) pipeline.addBatch(commands);
    return pipeline as unknown as ChainableCommander;
  }

  /** A transaction. With `pipeline: false` the client's own commands belong to it until `exec` or `discard`. */
  multi(options: { pipeline: false }): Promise<'OK'>;
  multi(options: { pipeline: true }): ChainableCommander;
  multi(commands?: readonly unknown[][], options?: { pipeline?: true }): ChainableCommander;
  multi(
    commands?: readonly unknown[][] | { pipeline?: boolean },
    options?: { pipeline?: boolean },
  ): ChainableCommander | Promise<'OK'> {
    const batch = Array.isArray(commands) ? commands : undefined;
    const settings = (Array.isArray(commands) ? options : (commands as { pipeline?: boolean } | undefined)) ?? options;
    const transaction = new this.#Pipeline(this, true);
    if (settings?.pipeline === false) {
      if (this.#transaction !== undefined)
        return Promise.reject(new RedkeepError('REDKEEP_INVALID_ARGUMENT', MULTI_ERROR));
      this[TARGET]();
      this.#transaction = transaction;
      return Promise.resolve('OK');
    }
    if (batch !== undefined) transaction.addBatch(batch);
    return transaction as unknown as ChainableCommander;
  }

  /** Ends `multi({ pipeline: false })`: sends its commands as one transaction. */
  exec(callback?: Callback<PairResult[] | null>): Promise<PairResult[] | null> {
    const transaction = this.#transaction;
    this.#transaction = undefined;
    if (transaction === undefined)
      return withCallback(
        Promise.reject(new RedkeepError('REDKEEP_INVALID_ARGUMENT', 'ERR EXEC without MULTI')),
        callback as never,
      );
    return transaction.exec(callback as never);
  }
  discard(callback?: Callback<'OK'>): Promise<'OK'> {
    const began = this.#transaction !== undefined;
    this.#transaction = undefined;
    return withCallback(
      began
        ? Promise.resolve('OK' as const)
        : Promise.reject(new RedkeepError('REDKEEP_INVALID_ARGUMENT', 'ERR DISCARD without MULTI')),
      callback as never,
    );
  }

  // ---------------------------------------------------------------- pub/sub

  #subscription(type: PubSubType, end: boolean, args: unknown[]): Promise<number> {
    const callback = typeof args.at(-1) === 'function' ? (args.pop() as never) : undefined;
    this[TARGET]();
    const promise = end ? this.subscriptions.unsubscribe(type, args) : this.subscriptions.subscribe(type, args);
    return withCallback(
      promise.then(
        (count) => (this.#stringNumbers ? (String(count) as unknown as number) : count),
        (error: unknown) => Promise.reject(this.translate(error)),
      ),
      callback,
    );
  }
  /** Resolves with the number of channels and patterns subscribed to. Messages arrive as the event `message`. */
  subscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('CHANNELS', false, channels);
  }
  unsubscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('CHANNELS', true, channels);
  }
  psubscribe(...patterns: unknown[]): Promise<number> {
    return this.#subscription('PATTERNS', false, patterns);
  }
  punsubscribe(...patterns: unknown[]): Promise<number> {
    return this.#subscription('PATTERNS', true, patterns);
  }
  ssubscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('SHARDED', false, channels);
  }
  sunsubscribe(...channels: unknown[]): Promise<number> {
    return this.#subscription('SHARDED', true, channels);
  }

  // ---------------------------------------------------------------- streams

  #scanStream(name: string, bytes: boolean, key: string | Buffer | undefined, options: ScanStreamOptions | undefined) {
    return new ScanStream({
      ...options,
      ...(key === undefined ? {} : { key }),
      scan: (args) => this[RUN](entryOf(name), args, bytes, undefined) as never,
    });
  }
  scanStream(options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('scan', false, undefined, options);
  }
  scanBufferStream(options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('scan', true, undefined, options);
  }
  sscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('sscan', false, key, options);
  }
  sscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('sscan', true, key, options);
  }
  hscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('hscan', false, key, options);
  }
  hscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('hscan', true, key, options);
  }
  zscanStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('zscan', false, key, options);
  }
  zscanBufferStream(key: string | Buffer, options?: ScanStreamOptions): ScanStream {
    return this.#scanStream('zscan', true, key, options);
  }

  /** Commands of automatic pipelines that wait; every command goes out at the end of its turn. */
  get autoPipelineQueueSize(): number {
    return 0;
  }
}

bindCommander(BaseClient.prototype);

/** Names in any case; one that ends in `*` stands for all that begin so. */
function namesMatcher(names: readonly string[]): (name: string) => boolean {
  const exact = new Set(names.map((name) => name.toLowerCase()));
  const beginnings = [...exact].filter((name) => name.endsWith('*')).map((name) => name.slice(0, -1));
  return (given) => {
    const name = given.toLowerCase();
    return exact.has(name) || beginnings.some((beginning) => name.startsWith(beginning));
  };
}
