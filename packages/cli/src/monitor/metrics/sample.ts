export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** One metric of the exposition with its samples. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter';
  readonly samples: readonly Sample[];
}

/** Metrics that grow sample by sample; samples of one name share its labels. */
export class MetricSet {
  readonly #metrics = new Map<string, { help: string; type: Metric['type']; samples: Sample[] }>();

  gauge(name: string, help: string, value: number | undefined, labels: Labels = {}): void {
    this.#add(name, help, 'gauge', value, labels);
  }

  counter(name: string, help: string, value: number | undefined, labels: Labels = {}): void {
    this.#add(name, help, 'counter', value, labels);
  }

  list(): Metric[] {
    return [...this.#metrics].map(([name, metric]) => ({ name, ...metric }));
  }

  #add(name: string, help: string, type: Metric['type'], value: number | undefined, labels: Labels): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const metric = this.#metrics.get(name) ?? { help, type, samples: [] };
    this.#metrics.set(name, metric);
    metric.samples.push({ labels, value });
  }
}
