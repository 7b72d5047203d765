import { stripVTControlCharacters } from 'node:util';

const styles = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

export type Style = keyof typeof styles;

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

  style(style: Style, text: string): string {
    return this.#color ? `\u001b[${styles[style]}m${text}\u001b[0m` : text;
  }

  /** A line of the result. */
  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  /** A machine-readable result. */
  json(value: unknown): void {
    this.#out.write(`${JSON.stringify(value, null, 2)}\n`);
  }

  /** Something that was done. */
  done(text: string): void {
    this.#err.write(`${this.style('green', '✓')} ${text}\n`);
  }

  /** Something under way or worth knowing. */
  note(text: string): void {
    this.#err.write(`${this.style('dim', '·')} ${text}\n`);
  }

  warn(text: string): void {
    this.#err.write(`${this.style('yellow', '! warning:')} ${text}\n`);
  }

  /** An error: what happened, its code, and the next step. */
  error(message: string, code: string, next: string): void {
    this.#err.write(`${this.style('red', '✗ error:')} ${message} ${this.style('dim', `[${code}]`)}\n`);
    this.#err.write(`  ${this.style('cyan', 'next:')} ${next}\n`);
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
