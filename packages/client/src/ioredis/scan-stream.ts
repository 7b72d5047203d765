/** Keys, members or fields as a stream of pages. */

import { Readable, type ReadableOptions } from 'node:stream';
import { InvalidArgumentError } from '../errors.js';

export interface ScanStreamOptions extends ReadableOptions {
  match?: string;
  type?: string;
  count?: string | number;
  noValues?: boolean;
}
type Page = [cursor: string | Buffer, elements: unknown[]];

export interface ScanStreamSource extends ScanStreamOptions {
  key?: string | Buffer;
  /** Runs the SCAN command with these arguments. */
  scan(args: (string | Buffer)[]): Promise<Page>;
}

export class ScanStream extends Readable {
  readonly #source: ScanStreamSource;
  #cursor = '0';
  #drained = false;

  /** @throws InvalidArgumentError */
  constructor(source: ScanStreamSource) {
    if (typeof (source as Partial<ScanStreamSource> | null)?.scan !== 'function')
      throw new InvalidArgumentError('ScanStream', 0, 'must be an object with scan()');
    const {
      match: _match,
      type: _type,
      count: _count,
      noValues: _noValues,
      key: _key,
      scan: _scan,
      ...stream
    } = source;
    super({ ...stream, objectMode: true });
    this.#source = source;
  }

  override _read(): void {
    if (this.#drained) {
      this.push(null);
      return;
    }
    const { key, match, type, count, noValues, scan } = this.#source;
    const args: (string | Buffer)[] = key === undefined ? [this.#cursor] : [key, this.#cursor];
    if (match) args.push('MATCH', match);
    if (type) args.push('TYPE', type);
    if (count) args.push('COUNT', String(count));
    if (noValues) args.push('NOVALUES');
    scan(args).then(
      ([cursor, elements]) => {
        this.#cursor = String(cursor);
        if (this.#cursor === '0') this.#drained = true;
        this.push(elements);
      },
      (error: Error) => this.destroy(error),
    );
  }

  /** Ends after the page under way. */
  close(): void {
    this.#drained = true;
  }
}
