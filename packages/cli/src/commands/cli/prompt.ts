import type { RedisClient } from 'redkeep';
import type { Context } from '../../context.js';
import type { ConnectTarget } from '../../engine/connect-node.js';
import { ExitCode } from '../../exit-codes.js';
import { formatReply, splitWords } from './reply.js';

/** Runs one command, or asks for commands until an empty one, `quit` or the end of the input. */
export async function runPrompt(context: Context, target: ConnectTarget, args: readonly string[]): Promise<void> {
  const { terminal, prompt } = context;
  const client = await context.connect(target);
  try {
    if (args.length > 0) {
      if (!(await runOne(context, client, args))) context.exitCode = ExitCode.Connection;
      return;
    }
    terminal.note('No redis-cli was found: this prompt sends commands and shows replies. quit ends it.');
    while (prompt.available) {
      const line = await prompt.ask(`${target.username}@${target.host}:${target.port}`, 'quit');
      const words = splitWords(line);
      if (words === undefined) terminal.warn('A quote is not closed.');
      else if (words.length === 0 || /^(quit|exit)$/i.test(words[0]!)) return;
      else await runOne(context, client, words);
    }
  } finally {
    if (client.isOpen) client.destroy();
  }
}

async function runOne({ terminal }: Context, client: RedisClient, words: readonly string[]): Promise<boolean> {
  try {
    for (const line of formatReply(await client.sendCommand([...words]))) terminal.line(line);
    return true;
  } catch (error) {
    const text = error instanceof Error && 'serverMessage' in error ? error.serverMessage : error;
    terminal.line(`(error) ${text instanceof Error ? text.message : text}`);
    return false;
  }
}
