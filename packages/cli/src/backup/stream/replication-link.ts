import { CliError } from '../../errors.js';
import { LF } from './resp-bytes.js';
import { type StampedChunk, StampedSocket, type StreamEndpoint } from './stamped-socket.js';

export interface ReplicationLogin {
  readonly username: string;
  readonly password: string;
}

export interface LinkOptions {
  readonly endpoint: StreamEndpoint;
  readonly login: ReplicationLogin | undefined;
  readonly signal: AbortSignal;
  readonly now: () => number;
}

/** Where a history is: its replication id and the bytes of it that were passed. */
export interface Position {
  readonly replid: string;
  readonly offset: number;
}

export type SyncAnswer =
  /** The whole data set follows, as it is at `position`. */
  | { readonly kind: 'full'; readonly position: Position }
  /** The stream goes on at the offset asked for, perhaps under a new id after a failover. */
  | { readonly kind: 'continued'; readonly replid: string };

const connectMs = 10_000;
/** A server pings its replicas every ten seconds (`repl-ping-replica-period`) and drops them after sixty. */
const idleMs = 60_000;
const acknowledgeMs = 1000;
const eagerAcknowledgeMs = 20;
const eagerAcknowledgements = 150;
const longestReply = 1024;
const eofMarkBytes = 40;

/**
 * One connection that a server takes for a replica (PSYNC, Redis 2.8 and later). It needs `+psync +replconf +ping`
 * and nothing else. It acknowledges offset 0 for as long as it lives: a server must never count an archive as a copy
 * that has a write.
 */
export class ReplicationLink {
  readonly #socket: StampedSocket;
  #acknowledging: NodeJS.Timeout | undefined;
  readonly #onAbort = () => this.close();
  readonly #signal: AbortSignal;

  private constructor(socket: StampedSocket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Connects, logs in and says what it can do. */
  static async open(options: LinkOptions): Promise<ReplicationLink> {
    const socket = await StampedSocket.open(options.endpoint, { ...options, timeoutMs: connectMs });
    const link = new ReplicationLink(socket, options.signal);
    try {
      const { login } = options;
      if (login) await link.#ask(['AUTH', login.username, login.password], 'AUTH');
      await link.#ask(['PING'], 'PING');
      await link.#ask(['REPLCONF', 'listening-port', '0'], 'REPLCONF');
      await link.#ask(['REPLCONF', 'capa', 'eof', 'capa', 'psync2'], 'REPLCONF');
      return link;
    } catch (error) {
      link.close();
      throw error;
    }
  }

  /** Asks for the stream after `position`, or for everything. */
  async sync(position: Position | undefined): Promise<SyncAnswer> {
    const from = position ? [position.replid, String(position.offset + 1)] : ['?', '-1'];
    this.#socket.write(request(['PSYNC', ...from]));
    const words = (await this.#reply('PSYNC')).split(' ');
    const [kind, replid = '', offset = ''] = words;
    if (kind === 'FULLRESYNC' && /^[0-9a-f]{40}$/.test(replid) && /^\d+$/.test(offset)) {
      return { kind: 'full', position: { replid, offset: Number(offset) } };
    }
    if (kind === 'CONTINUE' && position) {
      this.#acknowledge();
      return { kind: 'continued', replid: replid || position.replid };
    }
    throw unexpected('PSYNC', words.join(' '));
  }

  /**
   * The snapshot that follows a full answer, as the server writes it. Diskless it ends in a mark of 40 bytes that was
   * announced, and the stream can follow in the same packet.
   */
  async *snapshot(): AsyncGenerator<Buffer> {
    const header = await this.#line();
    const eof = /^\$EOF:(.{40})$/.exec(header);
    if (eof) yield* this.#untilMark(Buffer.from(eof[1]!, 'latin1'));
    else if (/^\$\d+$/.test(header)) yield* this.#exactly(Number(header.slice(1)));
    else throw unexpected('PSYNC', header);
    this.#acknowledge();
  }

  /** Chunks of the stream until the connection ends. */
  async *stream(): AsyncGenerator<StampedChunk> {
    for (;;) {
      const chunk = await this.#socket.take(idleMs);
      if (!chunk) return;
      yield chunk;
    }
  }

  close(): void {
    clearInterval(this.#acknowledging);
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#socket.destroy();
  }

  /**
   * One that arrives before the server counts the transfer as done is ignored, and until one counts the server holds
   * the stream back: often in the first seconds, then as often as replicas do.
   */
  #acknowledge(): void {
    clearInterval(this.#acknowledging);
    const text = request(['REPLCONF', 'ACK', '0']);
    let sent = 0;
    const eager = setInterval(() => {
      this.#socket.write(text);
      sent += 1;
      if (sent < eagerAcknowledgements) return;
      clearInterval(eager);
      this.#acknowledging = setInterval(() => this.#socket.write(text), acknowledgeMs);
    }, eagerAcknowledgeMs);
    this.#acknowledging = eager;
    this.#socket.write(text);
  }

  async *#exactly(length: number): AsyncGenerator<Buffer> {
    for (let left = length; left > 0; ) {
      const { data, at } = await this.#next();
      const part = data.subarray(0, left);
      this.#socket.unshift({ data: data.subarray(part.length), at });
      left -= part.length;
      yield part;
    }
  }

  async *#untilMark(mark: Buffer): AsyncGenerator<Buffer> {
    let tail: Buffer = Buffer.alloc(0);
    for (;;) {
      const { data, at } = await this.#next();
      const joined = tail.length === 0 ? data : Buffer.concat([tail, data]);
      const found = joined.indexOf(mark);
      if (found >= 0) {
        this.#socket.unshift({ data: joined.subarray(found + eofMarkBytes), at });
        if (found > 0) yield joined.subarray(0, found);
        return;
      }
      // The mark may have begun: its length less one is held back.
      const safe = Math.max(0, joined.length - (eofMarkBytes - 1));
      tail = Buffer.from(joined.subarray(safe));
      if (safe > 0) yield joined.subarray(0, safe);
    }
  }

  async #ask(words: readonly string[], name: string): Promise<void> {
    this.#socket.write(request(words));
    await this.#reply(name);
  }

  async #reply(command: string): Promise<string> {
    const line = await this.#line();
    if (line.startsWith('+')) return line.slice(1);
    throw unexpected(command, line);
  }

  /** The next line that is not empty: newlines keep a connection alive while a snapshot is prepared. */
  async #line(): Promise<string> {
    let text: Buffer = Buffer.alloc(0);
    for (;;) {
      const end = text.indexOf(LF);
      if (end >= 0) {
        const line = text.toString('latin1', 0, end).replace(/\r$/, '');
        text = text.subarray(end + 1);
        if (line === '') continue;
        this.#socket.unshift({ data: text, at: this.#lastStamp });
        return line;
      }
      if (text.length > longestReply) throw unexpected('PSYNC', text.toString('latin1', 0, 40));
      const { data, at } = await this.#next();
      this.#lastStamp = at;
      text = Buffer.concat([text, data]);
    }
  }

  #lastStamp = 0;

  async #next(): Promise<StampedChunk> {
    const chunk = await this.#socket.take(idleMs);
    if (!chunk) throw new Error('the server closed the connection');
    return chunk;
  }
}

function request(words: readonly string[]): string {
  const bulk = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${bulk.join('')}`;
}

const hints: readonly (readonly [RegExp, string])[] = [
  [/^-(WRONGPASS|NOAUTH)/, 'Check the user and the password file.'],
  [/^-NOPERM/, 'Give the user +psync +replconf +ping, which is all it needs.'],
  [/^-(NOMASTERLINK|LOADING|MASTERDOWN)/, 'Wait until the server is in step with its primary, and run it again.'],
];

/** A refusal: the server's first word only, since what follows may repeat what it was sent. */
function unexpected(command: string, line: string): CliError {
  const word = /^-?[A-Z][A-Z0-9]*/.exec(line)?.[0].replace(/^-/, '') ?? 'something else';
  const hint = hints.find(([pattern]) => pattern.test(line))?.[1] ?? 'Check that it is a Redis or Valkey server.';
  return new CliError('REDKEEP_CONNECTION_FAILED', `The server answered ${command} with ${word}.`, hint);
}
