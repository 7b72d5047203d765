/** A shell in a pseudo terminal of 80 columns, into which commands are typed. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { waitFor } from '@redkeep/testing';

export type Shell = 'bash' | 'zsh';

export interface Finished {
  readonly exitCode: number;
  /** What was printed, without colours and with plain line ends. */
  readonly output: string;
}

/** Printed by the shell before each prompt: the exit code of what ran. Programs do not print these characters. */
const PROMPT = /⟦(\d+)⟧/;

const START: Readonly<Record<Shell, { readonly command: string; readonly setup: string }>> = {
  bash: {
    command: 'bash --noprofile --norc -i',
    setup: `PS1= PS2= PROMPT_COMMAND='printf "⟦%d⟧" $?'; bind 'set enable-bracketed-paste off' 2>/dev/null; stty -echo cols 80 rows 24`,
  },
  zsh: {
    command: 'zsh -f -i -o no_zle -o no_prompt_sp',
    setup: `PS1= PS2=; setopt interactive_comments; precmd() { printf "⟦%d⟧" $? }; stty -echo cols 80 rows 24`,
  },
};

export class Terminal {
  readonly #process: ChildProcessWithoutNullStreams;
  #printed = '';

  private constructor(child: ChildProcessWithoutNullStreams) {
    this.#process = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
    });
  }

  static async open(
    shell: Shell,
    options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly uid?: number; readonly gid?: number },
  ): Promise<Terminal> {
    const { command, setup } = START[shell];
    const child = spawn('script', ['-qefc', command, '/dev/null'], { ...options, stdio: 'pipe' });
    const terminal = new Terminal(child);
    child.stdin.write(`${setup}\n`);
    await terminal.#prompt(20_000);
    return terminal;
  }

  /** Types a command and waits until the shell asks for the next one. */
  async run(command: string, timeout = 300_000): Promise<Finished> {
    this.#printed = '';
    this.#process.stdin.write(`${command}\n`);
    return this.#prompt(timeout, command);
  }

  /** Types a command that asks; each answer is typed when its question is on the screen. */
  async converse(
    command: string,
    answers: readonly (readonly [question: RegExp, answer: string])[],
  ): Promise<Finished> {
    this.#printed = '';
    this.#process.stdin.write(`${command}\n`);
    let from = 0;
    for (const [question, answer] of answers) {
      await waitFor(() => question.test(plain(this.#printed).slice(from)) || PROMPT.test(this.#printed), {
        message: `${question} after ${command}:\n${plain(this.#printed)}`,
        timeout: 60_000,
      });
      from = plain(this.#printed).length;
      this.#process.stdin.write(`${answer}\n`);
    }
    return this.#prompt(120_000, command);
  }

  async #prompt(timeout: number, command = 'the shell'): Promise<Finished> {
    await waitFor(() => PROMPT.test(this.#printed) || this.#process.exitCode !== null, {
      message: () => `the end of ${command}; so far:\n${plain(this.#printed)}`,
      timeout,
    });
    const found = PROMPT.exec(this.#printed);
    const output = plain(this.#printed.slice(0, found?.index));
    this.#printed = found ? this.#printed.slice(found.index + found[0].length) : '';
    return { exitCode: Number(found?.[1] ?? this.#process.exitCode ?? 1), output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once('close', resolve));
    this.#process.stdin.end('exit\n');
    // A shell whose program still runs or asks does not leave: the end of its terminal hangs it up.
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 2000);
    await ended;
    clearTimeout(timer);
  }
}

/** Text as a reader sees it: no control sequences, no carriage returns. */
function plain(text: string): string {
  return stripVTControlCharacters(text).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
}
