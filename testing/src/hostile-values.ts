/** What reaches a constructor or a factory from plain JavaScript, a parsed file or an unset variable. */
export const HOSTILE_VALUES: readonly unknown[] = [
  undefined,
  null,
  {},
  [],
  0,
  1,
  -1,
  Number.NaN,
  '',
  'x',
  true,
  1n,
  Symbol('hostile'),
  () => undefined,
  Object.create(null),
  new Map(),
  new Proxy({}, { get: () => undefined }),
];

/** A call that threw something else than an error of the contract. */
export interface Surprise {
  readonly name: string;
  readonly args: readonly string[];
  readonly error: unknown;
}

/**
 * Calls every function and class of `exports` with hostile values: none, one, one after an empty object, and the same
 * two and three times. Returns the calls that threw or rejected with what `isExpected` refuses.
 */
export async function callWithHostileValues(
  exports: Readonly<Record<string, unknown>>,
  isExpected: (error: unknown) => boolean,
): Promise<{ calls: number; surprises: Surprise[] }> {
  const surprises: Surprise[] = [];
  let calls = 0;
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== 'function') continue;
    for (const hostile of HOSTILE_VALUES)
      for (const args of [[hostile], [{}, hostile], [hostile, hostile], [hostile, hostile, hostile]]) {
        calls++;
        try {
          await made(value, args);
        } catch (error) {
          if (!isExpected(error)) surprises.push({ name, args: args.map(describe), error });
        }
      }
  }
  return { calls, surprises };
}

/** Clients that came to be are ended, so that none connects. */
async function made(value: unknown, args: readonly unknown[]): Promise<void> {
  const isClass = /^class\b/.test(Function.prototype.toString.call(value));
  const result: unknown = isClass
    ? new (value as new (...args: readonly unknown[]) => unknown)(...args)
    : (value as (...args: readonly unknown[]) => unknown)(...args);
  if (result instanceof Promise) await result;
  const { on, disconnect } = (result ?? {}) as { on?: unknown; disconnect?: unknown };
  if (typeof on === 'function') on.call(result, 'error', () => undefined);
  if (typeof disconnect === 'function') await Promise.resolve(disconnect.call(result)).catch(() => undefined);
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
}
