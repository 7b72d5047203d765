/**
 * One observation. Either it was made (`value`, and `from`: where it was seen) or it was not (`reason`).
 * There is no third form and no default, so that "could not look" can never be mistaken for a good value.
 */
export type Fact<T> = Observed<T> | Unobserved;

export interface Observed<T> {
  readonly observed: true;
  readonly value: T;
  /** Where the value was seen, in words: `CONFIG GET`, `TLS handshake`, `/etc/redis/redis.conf`. */
  readonly from: string;
}

export interface Unobserved {
  readonly observed: false;
  /** Why it could not be seen, and what would make it visible. */
  readonly reason: string;
}

export function observed<T>(value: T, from: string): Observed<T> {
  return { observed: true, value, from };
}

export function unobserved(reason: string): Unobserved {
  return { observed: false, reason };
}

/** Thrown by {@link need}; the evaluator turns it into the outcome "unknown" with this reason. */
export class NotObserved extends Error {}

/** Thrown where a check's question does not arise; the evaluator turns it into "not applicable" with this reason. */
export class DoesNotApply extends Error {}

/**
 * The value of a fact a check cannot do without. Leaves the check with the outcome "unknown" when it was not observed,
 * so no check can forget to ask.
 */
export function need<T>(fact: Fact<T>): T {
  if (fact.observed) return fact.value;
  throw new NotObserved(fact.reason);
}

/** The value if it was observed. Only for facts that add to a judgement that does not need them. */
export function maybe<T>(fact: Fact<T>): T | undefined {
  return fact.observed ? fact.value : undefined;
}

/** Observes `look()`; an exception becomes the reason. Its message must not carry secrets. */
export async function observe<T>(from: string, look: () => Promise<T> | T): Promise<Fact<T>> {
  try {
    return observed(await look(), from);
  } catch (error) {
    if (error instanceof NotObserved) return unobserved(error.message);
    const message = error instanceof Error ? error.message : String(error);
    return unobserved(`${from}: ${message.split('\n')[0]}`);
  }
}
