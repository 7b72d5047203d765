/** ioredis's `Redis.Command`: a command as an object, and where transformers are registered. */
import { argumentText } from '../argument-text.js';
import { InvalidArgumentError } from '../errors.js';
import type { ArgumentTransformer } from './arguments.js';
import { entryOf, keptEntryOf } from './command-entry.js';
import { type Callback, withCallback } from './commander.js';
import type { ReplyTransformer } from './replies.js';

export interface IoredisCommandOptions {
  /** `utf8` for text; none = bytes. */
  replyEncoding?: BufferEncoding | null | undefined;
  keyPrefix?: string | Buffer | undefined;
}

export class IoredisCommand {
  readonly name: string;
  readonly args: unknown[];
  readonly options: IoredisCommandOptions;
  readonly promise: Promise<unknown>;
  resolve!: (value: unknown) => void;
  reject!: (error: unknown) => void;

  constructor(name: string, args: unknown[] = [], options: IoredisCommandOptions = {}, callback?: Callback) {
    this.name = argumentText('Command', 0, name);
    if (!Array.isArray(args)) throw new InvalidArgumentError('Command', 1, 'must be an array');
    this.args = args.flat();
    this.options = options;
    const promise = new Promise<unknown>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.promise = withCallback(promise, callback as never);
  }

  /** Takes over the outcome of the command that it stands for. */
  settle(outcome: Promise<unknown>): Promise<unknown> {
    outcome.then(this.resolve, this.reject);
    return this.promise;
  }

  /** The keys among the arguments. */
  getKeys(): (string | Buffer)[] {
    const { spec, args } = entryOf(this.name).build(this.args.slice());
    return spec.keys(args).map((position) => args[position] as string | Buffer);
  }

  /** Called with the arguments of each call of the command; returns those that are sent. For every client. */
  static setArgumentTransformer(name: string, transform: ArgumentTransformer): void {
    keptEntryOf(name).argumentTransformer = transform;
  }
  /** Called with each reply of the command; returns what its caller gets. For every client. */
  static setReplyTransformer(name: string, transform: ReplyTransformer): void {
    keptEntryOf(name).replyTransformer = transform;
  }
}
