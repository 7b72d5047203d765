import { stripVTControlCharacters } from 'node:util';

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Style = keyof typeof styles;

/** `quiet`: results, warnings and errors only. `verbose`: also what was looked at on the way. */
export type Verbosity = 'quiet' | 'normal' | 'verbose';

const signMilliseconds = 2000;

interface Message {
  readonly kind: 'result' | 'done' | 'note' | 'warning';
  readonly text: string;
}

export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface TerminalOptions {
  readonly out: TextSink;
  readonly err: TextSink;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * The tool's voice. Results go to standard output; progress, warnings and errors to standard error, so that a pipe
 * sees results only. Colour is a second signal, never the only one, and follows NO_COLOR and FORCE_COLOR.
 */
export class Terminal {
  readonly #out: TextSink;
  readonly #err: TextSink;
  readonly #color: boolean;
  #verbosity: Verbosity = 'normal';
  /** With `--json`: what a command without a JSON document of its own has said. */
  #messages: Message[] | undefined;
  #jsonWritten = false;

  constructor(options: TerminalOptions) {
    this.#out = options.out;
    this.#err = options.err;
    const { NO_COLOR, FORCE_COLOR, TERM } = options.env;
    this.#color = !NO_COLOR && (Boolean(FORCE_COLOR) || (options.out.isTTY === true && TERM !== 'dumb'));
  }

  /** True when a person is reading standard output. */
  get interactive(): boolean {
    return this.#out.isTTY === true;
  }

  /** Columns of the terminal, 100 when there is none. */
  get columns(): number {
    return this.#out.columns ?? 100;
  }

  /** Set once, before the command runs. */
  configure(options: { readonly verbosity: Verbosity; readonly json: boolean }): void {
    this.#verbosity = options.verbosity;
    this.#messages = options.json ? [] : undefined;
  }

  /** Ends the output: with `--json` it is always one document, whatever the command was. */
  finish(exitCode: number): void {
    if (!this.#messages || this.#jsonWritten) return;
    this.json({ exitCode, messages: this.#messages });
  }

  style(style: Style, text: string): string {
    return this.#color ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
  }

  /** A line of the result. */
  line(text = ''): void {
    if (this.#messages) this.#messages.push({ kind: 'result', text: stripVTControlCharacters(text) });
    else this.#out.write(`${text}\n`);
  }

  /** A result that is a text of its own: a script, a report. */
  text(text: string): void {
    if (this.#messages) this.#messages.push({ kind: 'result', text });
    else this.#out.write(text);
  }

  /** Help and usage, as they are. */
  write(text: string, to: 'out' | 'err'): void {
    (to === 'out' ? this.#out : this.#err).write(text);
  }

  /** A machine-readable result. */
  json(value: unknown): void {
    this.#jsonWritten = true;
    this.#out.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Something that was done. */
  done(text: string): void {
    if (this.#messages) this.#messages.push({ kind: 'done', text });
    else if (this.#verbosity !== 'quiet') this.#err.write(`${this.style('green', '✓')} ${text}\n`);
  }

  /** Something under way or worth knowing. */
  note(text: string): void {
    if (this.#messages) this.#messages.push({ kind: 'note', text });
    else if (this.#verbosity !== 'quiet') this.#err.write(`${this.style('dim', '·')} ${text}\n`);
  }

  /** Says what is under way where it takes longer than a person waits without a sign. */
  async during<T>(what: string, work: () => Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.note(`Still under way: ${what}.`), signMilliseconds);
    try {
      return await work();
    } finally {
      clearTimeout(timer);
    }
  }

  /** What was looked at on the way; shown with `--verbose`. */
  detail(text: string): void {
    if (this.#verbosity === 'verbose') this.#err.write(`${this.style('dim', `  ${text}`)}\n`);
  }

  warn(text: string): void {
    this.#messages?.push({ kind: 'warning', text });
    this.#err.write(`${this.style('yellow', '! warning:')} ${text}\n`);
  }

  /** An error: what happened, its code, and the next step; with `--json` also as the document. */
  error(message: string, code: string, hint: string, exitCode: number): void {
    this.errorDocument(message, code, hint, exitCode);
    this.#err.write(`${this.style('red', '✗ error:')} ${message} ${this.style('dim', `[${code}]`)}\n`);
    this.#err.write(`  ${this.style('cyan', 'next:')} ${hint}\n`);
  }

  /** The document of an error, where `--json` asked for one and the command has not written its own. */
  errorDocument(message: string, code: string, hint: string, exitCode: number): void {
    if (!this.#messages || this.#jsonWritten) return;
    const messages = this.#messages.length > 0 ? { messages: this.#messages } : {};
    this.json({ exitCode, error: { code, message, hint }, ...messages });
  }

  /** Rows under a heading, columns aligned by what a reader sees. */
  table(heading: readonly string[], rows: readonly (readonly string[])[]): void {
    const all = [heading, ...rows];
    const widths = heading.map((_, column) => Math.max(...all.map((row) => visibleWidth(row[column] ?? ''))));
    for (const [index, row] of all.entries()) {
      const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - visibleWidth(cell)));
      const text = cells.join('  ').trimEnd();
      this.line(index === 0 ? this.style('bold', text) : text);
    }
  }
}

function visibleWidth(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}
