const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const;

/** Bytes as people read them, in powers of 1000. */
export function size(bytes: number): string {
  const power = Math.min(units.length - 1, bytes < 1000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** power;
  return `${power === 0 ? value : value.toFixed(value < 10 ? 2 : 1)} ${units[power]}`;
}

/** Seconds with the precision that matters. */
export function seconds(milliseconds: number): string {
  return milliseconds < 10_000 ? `${(milliseconds / 1000).toFixed(2)} s` : `${Math.round(milliseconds / 1000)} s`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

const defaultReportMs = 2000;

/** Reports work that takes long: what is done, at which rate, and how long the rest takes. At most every two seconds. */
export class Progress {
  readonly #note: (text: string) => void;
  readonly #everyMs: number;
  readonly #began = performance.now();
  #reported = performance.now();

  constructor(note: (text: string) => void, everyMs = defaultReportMs) {
    this.#note = note;
    this.#everyMs = everyMs;
  }

  /** @param total bytes in all; 0 where it is not known */
  report(what: string, bytes: number, total = 0): void {
    const now = performance.now();
    if (now - this.#reported < this.#everyMs) return;
    this.#reported = now;
    const rate = bytes / ((now - this.#began) / 1000);
    const left = total > bytes && rate > 0 ? `, ${seconds(((total - bytes) / rate) * 1000)} left` : '';
    const of = total > 0 ? ` of ${size(total)}` : '';
    this.#note(`${what}: ${size(bytes)}${of}, ${size(rate)}/s${left}`);
  }
}
