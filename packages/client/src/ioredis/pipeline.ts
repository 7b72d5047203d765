/** `pipeline()` and `multi()`: commands are collected, sent back to back, and answered as `[error, result]` pairs. */

import { Command, spec } from '../commands/command.js';
import { prefixKeys } from '../commands/key-prefix.js';
import type { Connection, DispatchOptions } from '../connection/connection.js';
import type { TransactionTarget } from '../dispatcher.js';
import { ErrorReply, InvalidArgumentError, RedkeepError, WatchError } from '../errors.js';
import { bindCommander, type Callback, type CommandSource, type Runner, Script, withCallback } from './commander.js';
import { translateError } from './errors.js';
import { textOf } from './replies.js';
import { CALL_OPTIONS, READY, RUN, TARGET } from './symbols.js';

const MULTI = new Command(spec('MULTI', { words: ['multi'] }), []);
const EXEC = new Command<unknown[] | null>(spec('EXEC', { words: ['exec'] }), []);
const ASKING = new Command(spec('ASKING', { words: ['asking'] }), []);

/** They are answered by pushes, or change how everything after them is answered: others' answers would be taken for theirs. */
const NOT_ANSWERED_ONCE = new Set(
  'subscribe psubscribe ssubscribe unsubscribe punsubscribe sunsubscribe monitor hello reset quit'.split(' '),
);

/** `[null, result]` or `[error]`. */
export type PairResult = [error: Error | null, result?: unknown];

/** The client that a pipeline runs on. */
export interface PipelineOwner {
  /** Connects first if that is still to be done. */
  [TARGET](): TransactionTarget;
  /** Resolves when commands can be sent; undefined when they can now. */
  [READY](): Promise<void> | undefined;
  [CALL_OPTIONS](bytes: boolean): DispatchOptions;
  /** The server that the present connection leads to has this script. */
  knowsScript(script: Script): boolean;
  runScriptText(script: Script, command: Command, bytes: boolean): Promise<unknown>;
  readonly options: object;
  readonly isCluster: boolean;
}

interface Item {
  readonly kind: 'command' | 'multi' | 'exec';
  readonly command: Command;
  readonly script: Script | undefined;
  readonly bytes: boolean;
  readonly callback: ((error: unknown, result?: unknown) => void) | undefined;
  /** Why it cannot be sent. */
  readonly refused: unknown;
}

export class Pipeline implements Runner {
  readonly isPipeline = true;
  readonly redis: PipelineOwner;
  /** Made by `multi()`: one transaction, whose replies are the result. */
  readonly #isTransaction: boolean;
  readonly #items: Item[] = [];
  #openTransactions = 0;
  #result: Promise<unknown> | undefined;

  constructor(redis: PipelineOwner, isTransaction = false) {
    this.redis = redis;
    this.#isTransaction = isTransaction;
    if (isTransaction) this.multi();
  }

  get length(): number {
    return this.#items.length;
  }
  get isCluster(): boolean {
    return this.redis.isCluster;
  }
  get options(): object {
    return this.redis.options;
  }

  [RUN](source: CommandSource, args: unknown[], bytes: boolean, callback: Item['callback']): this {
    let command = MULTI;
    let refused: unknown;
    try {
      command = source.build(args);
      if (NOT_ANSWERED_ONCE.has(source.name))
        throw new InvalidArgumentError(source.name, 'pipeline', 'has no place in one');
      const { options } = this.redis[TARGET]();
      refused = options.policy.refusalOf(command);
      if (options.keyPrefix !== undefined) command = prefixKeys(command, options.keyPrefix);
    } catch (error) {
      refused = error;
    }
    const script = source instanceof Script ? source : undefined;
    this.#items.push({ kind: 'command', command, script, bytes, callback, refused });
    return this;
  }

  #control(kind: 'multi' | 'exec', callback?: unknown): this {
    this.#items.push({
      kind,
      command: kind === 'multi' ? MULTI : EXEC,
      script: undefined,
      bytes: false,
      callback: typeof callback === 'function' ? (callback as Item['callback']) : undefined,
      refused: undefined,
    });
    return this;
  }

  /** Adds `[name, ...arguments]` each. */
  addBatch(commands: readonly unknown[][]): this {
    for (const [name, ...args] of commands) {
      const method = (this as unknown as Record<string, unknown>)[String(name)];
      if (typeof method !== 'function')
        throw new InvalidArgumentError('PIPELINE', 'batch', 'names something that is not a command');
      method.apply(this, args);
    }
    return this;
  }

  multi(callback?: unknown): this {
    this.#openTransactions++;
    return this.#control('multi', callback);
  }

  discard(): this {
    throw new InvalidArgumentError('DISCARD', 'transaction', 'was not sent yet: it ends by not calling exec()');
  }

  /** Ends a transaction that was begun inside this pipeline; else sends everything. */
  exec(callback?: Callback): Promise<PairResult[] | null> {
    if (this.#openTransactions > 0) {
      this.#openTransactions--;
      this.#control('exec', this.#isTransaction ? undefined : callback);
      if (!this.#isTransaction) return this as unknown as Promise<PairResult[] | null>;
    }
    this.#result ??= this.#isTransaction ? this.#runTransaction() : this.#run();
    return withCallback(this.#result, callback as never) as Promise<PairResult[] | null>;
  }
  execBuffer(callback?: Callback): Promise<PairResult[] | null> {
    return this.exec(callback);
  }

  async #run(): Promise<PairResult[]> {
    const results = await this.#send();
    for (const [i, { callback }] of this.#items.entries()) {
      const [error, result] = results[i]!;
      if (callback !== undefined)
        withCallback(error === null ? Promise.resolve(result) : Promise.reject(error), callback);
    }
    return results;
  }

  async #runTransaction(): Promise<PairResult[] | null> {
    const unsendable = this.#items.find(({ refused }) => refused !== undefined);
    // One that cannot be sent whole is not sent at all.
    if (unsendable !== undefined) throw unsendable.refused;
    const results = await this.#run();
    const last = results.at(-1);
    if (last === undefined || this.#items.at(-1)?.kind !== 'exec')
      throw new RedkeepError(
        'REDKEEP_INVALID_ARGUMENT',
        'Pipeline cannot be used to send any commands when the `exec()` has been called on it.',
      );
    const [error, replies] = last;
    if (error !== null) {
      const previousErrors = results.slice(0, -1).flatMap(([failure]) => (failure === null ? [] : [failure]));
      throw Object.assign(error, { previousErrors });
    }
    if (replies === null) return null;
    return (replies as unknown[]).map((reply) => (reply instanceof Error ? [reply] : [null, reply]));
  }

  /** Sends the parts in one go, so that nothing comes between them where there is one connection. */
  async #send(): Promise<PairResult[]> {
    const target = this.redis[TARGET]();
    const ready = this.redis[READY]();
    if (ready !== undefined) await ready;
    const parts: Promise<PairResult[]>[] = [];
    let plain: Item[] = [];
    const endPlain = () => {
      if (plain.length > 0) parts.push(this.#sendPlain(target, plain));
      plain = [];
    };
    for (let i = 0; i < this.#items.length; i++) {
      if (this.#items[i]!.kind !== 'multi') {
        plain.push(this.#items[i]!);
        continue;
      }
      endPlain();
      const end = this.#items.findIndex(({ kind }, at) => at > i && kind === 'exec');
      const transaction = this.#items.slice(i, end === -1 ? undefined : end + 1);
      parts.push(
        end === -1
          ? Promise.resolve(transaction.map(() => [new RedkeepError('REDKEEP_INVALID_ARGUMENT', 'MULTI without EXEC')]))
          : this.#sendTransaction(target, transaction),
      );
      i += transaction.length - 1;
    }
    endPlain();
    return (await Promise.all(parts)).flat();
  }

  async #sendPlain(target: TransactionTarget, items: readonly Item[]): Promise<PairResult[]> {
    const bytes = items.some((item) => item.bytes);
    const sendable = items.filter(({ refused }) => refused === undefined);
    const loaded = new Set<string>();
    const commands = sendable.map(({ command, script }) => {
      if (script === undefined || loaded.has(script.sha)) return command;
      loaded.add(script.sha);
      return this.redis.knowsScript(script) ? command : script.withText(command);
    });
    let outcomes: PromiseSettledResult<unknown>[];
    try {
      const answers = target.pipeline(commands, this.redis[CALL_OPTIONS](bytes));
      outcomes = await Promise.allSettled(Array.isArray(answers) ? answers : await answers);
    } catch (error) {
      outcomes = commands.map(() => ({ status: 'rejected', reason: translateError(error) }));
    }
    let next = 0;
    return Promise.all(
      items.map(async (item): Promise<PairResult> => {
        if (item.refused !== undefined) return [item.refused as Error];
        const outcome = outcomes[next++]!;
        if (outcome.status === 'fulfilled') return [null, bytes && !item.bytes ? textOf(outcome.value) : outcome.value];
        const error: unknown = outcome.reason;
        if (item.script === undefined || !(error instanceof ErrorReply) || error.prefix !== 'NOSCRIPT')
          return [error as Error];
        try {
          return [null, await this.redis.runScriptText(item.script, item.command, item.bytes)];
        } catch (second) {
          return [second as Error];
        }
      }),
    );
  }

  /** MULTI, commands, EXEC: never sent again, nothing between them. */
  async #sendTransaction(target: TransactionTarget, items: readonly Item[]): Promise<PairResult[]> {
    const between = items.slice(1, -1);
    const unsendable = between.find(({ refused }) => refused !== undefined);
    const all = (error: unknown): PairResult[] => items.map(() => [error as Error]);
    if (unsendable !== undefined) return all(unsendable.refused);
    let watched: boolean;
    try {
      watched = target.beginTransaction?.() ?? false;
    } catch (error) {
      if (!(error instanceof WatchError)) return all(error);
      // The WATCH did not survive: as if a watched key had changed.
      return items.map(({ kind }) => [null, kind === 'multi' ? 'OK' : kind === 'exec' ? null : 'QUEUED']);
    }
    // The text of a script goes along once: one that the server does not know would fail in the transaction's middle.
    const loaded = new Set<string>();
    const commands = between.map(({ command, script }) => {
      if (script === undefined || loaded.has(script.sha)) return command;
      loaded.add(script.sha);
      return script.withText(command);
    });
    const bytes = between.some((item) => item.bytes);
    const options = this.redis[CALL_OPTIONS](bytes);
    try {
      return await target.withConnection(commands, async (connection, asking) => {
        const sent = [...(asking === true ? [ASKING] : []), MULTI, ...commands.map(queued), EXEC];
        const answers = await Promise.allSettled(connection.dispatchAll(sent, { ...options, atomic: true, watched }));
        const own = asking === true ? answers.slice(1) : answers;
        const last = own.at(-1)!;
        // A cluster looks for refusals that send the whole elsewhere.
        if (this.isCluster && last.status === 'rejected') {
          const moved = own.find((one) => one.status === 'rejected' && isRedirect(one.reason));
          if (moved !== undefined) throw (moved as PromiseRejectedResult).reason;
        }
        return own.map((one): PairResult => {
          if (one.status === 'rejected') return [one.reason as Error];
          if (one !== last || one.value === null) return [null, textOf(one.value)];
          return [null, this.#readReplies(one.value as unknown[], commands, between, connection, options)];
        });
      });
    } catch (error) {
      return all(translateError(error));
    }
  }

  #readReplies(
    replies: readonly unknown[],
    commands: readonly Command[],
    items: readonly Item[],
    { resp }: Connection,
    { typeMapping, translateError: translate = translateError }: DispatchOptions,
  ): unknown[] {
    return replies.map((reply, i) => {
      const command = commands[i]!;
      if (reply instanceof ErrorReply) return translate(reply.redact(command.spec.name, command.args), command);
      const read = command.spec.read[resp];
      try {
        const value = read === undefined ? reply : read(reply, command.preserve, typeMapping);
        return items[i]!.bytes ? value : textOf(value);
      } catch (error) {
        return error;
      }
    });
  }
}
bindCommander(Pipeline.prototype);

const isRedirect = (error: unknown): boolean =>
  error instanceof ErrorReply && ['MOVED', 'ASK', 'TRYAGAIN', 'CLUSTERDOWN', 'READONLY'].includes(error.prefix);

/** Inside MULTI the answer is `QUEUED`, whatever the command's reader expects. */
function queued(command: Command): Command {
  return new Command({ ...command.spec, read: { 2: undefined, 3: undefined } }, command.args);
}
