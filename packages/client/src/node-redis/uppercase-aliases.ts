/** node-redis names every method in capitals too; those of subscriptions are not command functions. */
const NAMES = ['subscribe', 'unsubscribe', 'pSubscribe', 'pUnsubscribe', 'sSubscribe', 'sUnsubscribe'] as const;

export function bindUppercaseAliases(prototype: Readonly<Record<(typeof NAMES)[number], unknown>>): void {
  for (const name of NAMES)
    Object.defineProperty(prototype, name.toUpperCase(), {
      value: prototype[name],
      writable: true,
      configurable: true,
    });
}
