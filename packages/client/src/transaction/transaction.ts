/** MULTI … EXEC: commands are collected, checked together and sent together; nothing comes between them. */
import { prefixKeys } from '../client-core.js';
import { bindCommands } from '../commands/bind.js';
import { Command, type CommandFunction, type ReplyOf, rawCommand, spec } from '../commands/command.js';
import type { Aliases, Commands } from '../commands/index.js';
import type { Connection } from '../connection/connection.js';
import type { TransactionTarget } from '../dispatcher.js';
import { ErrorReply, MultiErrorReply, WatchError } from '../errors.js';
import type { CommandOptions } from '../options.js';
import type { Mapped, RedisArgument, TypeMapping } from '../protocol/types.js';

const MULTI = new Command(spec('MULTI'), []);
const ASKING = new Command(spec('ASKING'), []);
const EXEC = new Command<unknown[] | null>(spec('EXEC'), []);

type Chain<R extends unknown[], F extends CommandFunction, M extends TypeMapping> = (
  ...args: Parameters<F>
) => Transaction<[...R, Mapped<ReplyOf<ReturnType<F>>, M>], M>;
type UpperName<K> = K extends keyof Aliases ? Aliases[K] : K extends string ? Uppercase<K> : never;
type ChainMethods<R extends unknown[], M extends TypeMapping> = {
  [K in keyof Commands]: Chain<R, Commands[K], M>;
} & { [K in keyof Commands as UpperName<K>]: Chain<R, Commands[K], M> };

// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the methods are defined on the prototype by bindCommands
export class Transaction<R extends unknown[] = [], M extends TypeMapping = Record<never, never>> {
  readonly #target: TransactionTarget;
  readonly #options: CommandOptions | undefined;
  readonly #commands: Command[] = [];

  constructor(target: TransactionTarget, options: CommandOptions | undefined) {
    this.#target = target;
    this.#options = options;
  }

  /** Adds any command by its words. */
  addCommand(args: readonly (RedisArgument | number | bigint)[]): Transaction<[...R, unknown], M> {
    return this.#add(rawCommand(args));
  }

  /** For the bound command methods. */
  static add(self: Transaction<unknown[], TypeMapping>, command: Command): unknown {
    return self.#add(command);
  }

  #add(command: Command): Transaction<[...R, unknown], M> {
    const refused = this.#target.options.policy.refuse(command.spec);
    if (refused !== undefined) throw refused;
    const { keyPrefix } = this.#target.options;
    this.#commands.push(keyPrefix === undefined ? command : prefixKeys(command, keyPrefix));
    return this as unknown as Transaction<[...R, unknown], M>;
  }

  /**
   * Runs the collected commands as one transaction and resolves with their replies.
   * @throws WatchError when a watched key changed
   * @throws MultiErrorReply when commands failed; the others have run (Redis does not roll back)
   */
  async exec(asPipeline = false): Promise<R> {
    if (asPipeline) return this.execAsPipeline();
    if (this.#commands.length === 0) return [] as unknown as R;
    return this.#target.withConnection(this.#commands, (connection, asking) => this.#run(connection, asking === true));
  }

  async #run(connection: Connection, asking: boolean): Promise<R> {
    const commands = [MULTI, ...this.#commands.map(queued), EXEC];
    // The server keeps ASKING from MULTI to EXEC.
    if (asking) commands.unshift(ASKING);
    const answers = connection.dispatchAll(commands, { ...this.#options, atomic: true });
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
    return orErrors(
      replies.map((reply, i) => {
        const command = this.#commands[i]!;
        if (reply instanceof ErrorReply) return reply.redact(command.args);
        const read = command.spec.read[resp];
        return read === undefined ? reply : read(reply, command.preserve, mapping);
      }),
    );
  }
}

export interface Transaction<R extends unknown[] = [], M extends TypeMapping = Record<never, never>>
  extends ChainMethods<R, M> {}

bindCommands(
  Transaction.prototype,
  (self, command) => Transaction.add(self as never, command),
  (error) => {
    throw error;
  },
);

/** Inside MULTI the answer is `QUEUED`, whatever the command's reader expects. */
function queued(command: Command): Command {
  return new Command({ ...command.spec, read: { 2: undefined, 3: undefined } }, command.args);
}

function orErrors(replies: unknown[]): unknown[] {
  const indexes: number[] = [];
  for (const [i, reply] of replies.entries()) if (reply instanceof ErrorReply) indexes.push(i);
  if (indexes.length > 0) throw new MultiErrorReply(replies, indexes);
  return replies;
}
