/**
 * What is used of `@opentelemetry/api`, by its form: the application hands in the real one, and this package depends
 * on nothing.
 */
export type Attributes = Record<string, string | number | boolean | undefined>;

export interface Instrument {
  record(value: number, attributes?: Attributes): void;
}
export interface Counter {
  add(value: number, attributes?: Attributes): void;
}
export interface Observation {
  observe(value: number, attributes?: Attributes): void;
}
export interface Observable {
  addCallback(callback: (result: Observation) => void): void;
  removeCallback(callback: (result: Observation) => void): void;
}
interface InstrumentOptions {
  unit?: string;
  description?: string;
  advice?: { explicitBucketBoundaries?: number[] };
}
export interface Meter {
  createHistogram(name: string, options?: InstrumentOptions): Instrument;
  createCounter(name: string, options?: InstrumentOptions): Counter;
  createUpDownCounter(name: string, options?: InstrumentOptions): Counter;
  createObservableGauge(name: string, options?: InstrumentOptions): Observable;
  createObservableUpDownCounter(name: string, options?: InstrumentOptions): Observable;
}

export interface Span {
  setStatus(status: { code: number }): unknown;
  end(endTime?: number): void;
}
export interface Tracer {
  startSpan(name: string, options: { kind: number; startTime: number; attributes: Attributes }): Span;
}

export interface OpenTelemetryApi {
  readonly metrics: { getMeter(name: string, version?: string): Meter };
  readonly trace: {
    getTracer(name: string, version?: string): Tracer;
    getActiveSpan(): unknown;
  };
}
