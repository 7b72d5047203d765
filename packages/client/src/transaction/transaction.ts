/** MULTI … EXEC: commands are collected, checked together and sent together; nothing comes between them. */

import { type Bound, bindCommands, type ReplyKind } from '../commands/bind.js';
import { Command, misread, misshapen, rawCommand, readReply, spec } from '../commands/command.js';
import { prefixKeys } from '../commands/key-prefix.js';
import type { Connection } from '../connection/connection.js';
import { observedBatch } from '../diagnostics.js';
import type { TransactionTarget } from '../dispatcher.js';
import { ErrorReply, MultiErrorReply, WatchError } from '../errors.js';
import { traceBatch } from '../node-redis/tracing-channels.js';
import type { CommandOptions } from '../options/command-options.js';
import type { Mapped, RedisArgument, TypeMapping } from '../protocol/types.js';
import { type CustomBound, type RedisScript, withScriptText } from '../scripting/custom-commands.js';

const MULTI = new Command(spec('MULTI'), []);
const ASKING = new Command(spec('ASKING'), []);
const SELECT = spec('SELECT');
const EXEC = new Command<unknown[] | null>(spec('EXEC'), []);

interface Chained<R extends unknown[], M extends TypeMapping, O> extends ReplyKind {
  readonly result: Multi<[...R, Mapped<this['reply'], M>], M, O>;
}
/** A transaction with replies `R` so far, under type mapping `M`, with the scripts, functions and modules of `O`. */
export type Multi<R extends unknown[], M extends TypeMapping, O> = Transaction<R, M, O> &
  CustomBound<O, Chained<R, M, O>>;

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class Transaction<
  R extends unknown[] = [],
  M extends TypeMapping = Record<never, never>,
  O = Record<never, never>,
> {
  readonly #target: TransactionTarget;
  readonly #options: CommandOptions | undefined;
  readonly #commands: Command[] = [];
  readonly #scripts = new Set<string>();
  #database: number | undefined;
  #failure: unknown;

  constructor(target: TransactionTarget, options: CommandOptions | undefined) {
    this.#target = target;
    this.#options = options;
  }

  /** Adds any command by its words; `transform` turns its raw reply into what is returned for it. */
  addCommand(
    args: readonly (RedisArgument | number | bigint)[],
    // biome-ignore lint/suspicious/noExplicitAny: the reply is whatever the command answers
    transform?: (reply: any) => unknown,
  ): Multi<[...R, unknown], M, O> {
    try {
      const command = rawCommand(args);
      return this.#add(
        transform === undefined
          ? command
          : new Command({ ...command.spec, read: { 2: transform, 3: transform } }, command.args),
      );
    } catch (error) {
      // A chain does not break in its middle: `exec` rejects, and nothing is sent.
      this.#failure ??= error;
      return this as unknown as Multi<[...R, unknown], M, O>;
    }
  }
  /** Adds any command by its words. */
  sendCommand(args: readonly (RedisArgument | number | bigint)[]): Multi<[...R, unknown], M, O> {
    return this.addCommand(args);
  }

  /** The database from here on, also after the transaction and after a reconnect. */
  select(database: number): Multi<[...R, unknown], M, O> {
    this.#database = database;
    return this.#add(new Command(SELECT, [String(database)]));
  }
  SELECT(database: number): Multi<[...R, unknown], M, O> {
    return this.select(database);
  }

  /** For the bound command methods. */
  static addFor(self: object, command: Command, script?: RedisScript): unknown {
    const transaction = self as Transaction<unknown[], TypeMapping>;
    if (script === undefined) return transaction.#add(command);
    // A script that the server does not know would fail in the middle of the transaction: its text goes along once.
    if (transaction.#scripts.has(script.SHA1)) return transaction.#add(command);
    transaction.#scripts.add(script.SHA1);
    return transaction.#add(withScriptText(command, script));
  }

  #add(command: Command): Multi<[...R, unknown], M, O> {
    const refused = this.#target.options.policy.refusalOf(command);
    if (refused !== undefined) throw refused;
    const { keyPrefix } = this.#target.options;
    this.#commands.push(keyPrefix === undefined ? command : prefixKeys(command, keyPrefix));
    return this as unknown as Multi<[...R, unknown], M, O>;
  }

  /**
   * Runs the collected commands as one transaction and resolves with their replies.
   * @throws WatchError when a watched key changed
   * @throws MultiErrorReply when commands failed; the others have run (Redis does not roll back)
   */
  async exec(asPipeline = false): Promise<R> {
    if (asPipeline) return this.execAsPipeline();
    if (this.#failure !== undefined) throw this.#failure;
    const watched = this.#target.beginTransaction?.() ?? false;
    if (this.#commands.length === 0 && !watched) return [] as unknown as R;
    return this.#target.withConnection(this.#commands, (connection, asking) =>
      this.#observed(connection, this.#run(connection, watched, asking === true)),
    );
  }

  #observed(connection: Connection, result: Promise<R>): Promise<R> {
    traceBatch('MULTI', this.#commands, connection, result);
    return observedBatch('MULTI', this.#commands, connection, result);
  }

  async #run(connection: Connection, watched: boolean, asking: boolean): Promise<R> {
    const commands = [MULTI, ...this.#commands.map(queued), EXEC];
    // The server keeps ASKING from MULTI to EXEC.
    if (asking) commands.unshift(ASKING);
    const answers = connection.dispatchAll(commands, { ...this.#options, atomic: true, watched });
    // EXEC's answer is the result; refusals while queueing come back as EXECABORT, with the reason in these.
    const settled = await Promise.allSettled(answers);
    const last = settled.at(-1)!;
    if (last.status === 'rejected') {
      const refusal = settled.slice(0, -1).find((s) => s.status === 'rejected' && s.reason instanceof ErrorReply) as
        | PromiseRejectedResult
        | undefined;
      throw last.reason instanceof ErrorReply && refusal !== undefined
        ? Object.assign(last.reason, { cause: refusal.reason })
        : last.reason;
    }
    if (last.value === null) throw new WatchError();
    if (this.#database !== undefined) connection.remember(this.#database);
    return this.#read(last.value as unknown[], connection) as R;
  }
  /** {@link exec}, typed by the commands. */
  execTyped(asPipeline = false): Promise<R> {
    return this.exec(asPipeline);
  }
  EXEC(asPipeline = false): Promise<R> {
    return this.exec(asPipeline);
  }

  /** Sends the collected commands back to back without MULTI: faster, not atomic. */
  async execAsPipeline(): Promise<R> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#commands.length === 0) return [] as unknown as R;
    const settled = await Promise.allSettled(await this.#target.pipeline(this.#commands, this.#options));
    const replies = settled.map((s) => (s.status === 'fulfilled' ? s.value : s.reason));
    const lost = replies.find((reply) => reply instanceof Error && !(reply instanceof ErrorReply));
    if (lost !== undefined) throw lost;
    return orErrors(replies) as R;
  }
  execAsPipelineTyped(): Promise<R> {
    return this.execAsPipeline();
  }

  #read(replies: unknown[], { resp }: Connection): unknown[] {
    const mapping = this.#options?.typeMapping;
    if (!Array.isArray(replies) || replies.length !== this.#commands.length) throw misshapen('EXEC');
    return orErrors(
      replies.map((reply, i) => {
        const command = this.#commands[i]!;
        if (reply instanceof ErrorReply) return reply.redact(command.spec.name, command.args);
        try {
          return readReply(command, reply, resp, mapping);
        } catch (error) {
          throw misread(command.spec, error);
        }
      }),
    );
  }
}

export interface Transaction<
  R extends unknown[] = [],
  M extends TypeMapping = Record<never, never>,
  O = Record<never, never>,
> extends Bound<Chained<R, M, O>> {}

bindCommands(
  Transaction.prototype,
  (self, command) => Transaction.addFor(self, command),
  (error) => {
    throw error;
  },
);

/** Inside MULTI the answer is `QUEUED`, whatever the command's reader expects. */
function queued(command: Command): Command {
  return new Command({ ...command.spec, read: { 2: undefined, 3: undefined }, kinds: 0 }, command.args);
}

function orErrors(replies: unknown[]): unknown[] {
  const indexes: number[] = [];
  for (const [i, reply] of replies.entries()) if (reply instanceof ErrorReply) indexes.push(i);
  if (indexes.length > 0) throw new MultiErrorReply(replies, indexes);
  return replies;
}
