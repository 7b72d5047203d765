import type { RedisClient } from 'redkeep';
import type { Context } from '../../context.js';
import type { ConnectTarget } from '../../engine/connect-node.js';
import { ExitCode } from '../../exit-codes.js';
import { formatReply, splitWords } from './reply.js';

/** Finds the way to the node of the deployment that a redirect names; undefined: it names none of them. */
export type FollowRedirect = (host: string, port: number) => Promise<ConnectTarget | undefined>;

/** Runs one command, or asks for commands until an empty one, `quit` or the end of the input. */
export async function runPrompt(
  context: Context,
  target: ConnectTarget,
  args: readonly string[],
  follow: FollowRedirect,
): Promise<void> {
  const { terminal, prompt } = context;
  const session = new Session(context, follow);
  try {
    await session.open(target);
    if (args.length > 0) {
      if (!(await runOne(context, session, args))) context.exitCode = ExitCode.Connection;
      return;
    }
    terminal.note('This prompt sends commands and shows replies. quit ends it.');
    while (prompt.available) {
      const line = await prompt.ask(`${target.username}@${target.host}:${target.port}`, 'quit');
      const words = splitWords(line);
      if (words === undefined) terminal.warn('A quote is not closed.');
      else if (words.length === 0 || /^(quit|exit)$/i.test(words[0]!)) return;
      else await runOne(context, session, words);
    }
  } finally {
    session.close();
  }
}

/** Connections to the nodes that redirects lead to, as redis-cli has them in a Cluster. */
class Session {
  readonly #context: Context;
  readonly #follow: FollowRedirect;
  readonly #clients = new Map<string, RedisClient>();
  #current: RedisClient | undefined;

  constructor(context: Context, follow: FollowRedirect) {
    this.#context = context;
    this.#follow = follow;
  }

  async open(target: ConnectTarget): Promise<RedisClient> {
    const key = `${target.host}:${target.port}`;
    const client = this.#clients.get(key) ?? (await this.#context.connect(target));
    this.#clients.set(key, client);
    this.#current = client;
    return client;
  }

  async send(words: readonly string[], redirectsLeft = 5): Promise<unknown> {
    try {
      return await this.#current!.sendCommand([...words]);
    } catch (error) {
      const redirect = /^(?<kind>MOVED|ASK) \d+ (?<host>\S*):(?<port>\d+)$/.exec(serverTextOf(error) ?? '')?.groups;
      if (!redirect || redirectsLeft === 0) throw error;
      const target = await this.#follow(redirect['host']!, Number(redirect['port']));
      if (!target) throw error;
      const client = await this.open(target);
      if (redirect['kind'] === 'ASK') await client.sendCommand(['ASKING']);
      return this.send(words, redirectsLeft - 1);
    }
  }

  close(): void {
    for (const client of this.#clients.values()) if (client.isOpen) client.destroy();
  }
}

function serverTextOf(error: unknown): string | undefined {
  return error instanceof Error && 'serverMessage' in error ? String(error.serverMessage) : undefined;
}

async function runOne({ terminal }: Context, session: Session, words: readonly string[]): Promise<boolean> {
  try {
    for (const line of formatReply(await session.send(words))) terminal.line(line);
    return true;
  } catch (error) {
    terminal.line(`(error) ${serverTextOf(error) ?? (error instanceof Error ? error.message : error)}`);
    return false;
  }
}
