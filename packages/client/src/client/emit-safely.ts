import type { EventEmitter } from 'node:events';
import { CallbackError } from '../errors.js';

/**
 * Emits an event; a listener that throws stops neither the others nor the caller. What it threw becomes an `error`
 * event, or a warning of the process when nothing listens for that.
 */
export function emitSafely(emitter: EventEmitter, event: string, ...args: unknown[]): boolean {
  const listeners = emitter.rawListeners(event);
  for (const listener of listeners) {
    try {
      const returned: unknown = Reflect.apply(listener, emitter, args);
      if (returned instanceof Promise) returned.catch((error) => report(emitter, event, error));
    } catch (error) {
      report(emitter, event, error);
    }
  }
  return listeners.length > 0;
}

function report(emitter: EventEmitter, event: string, cause: unknown): void {
  const error = new CallbackError(`A listener of the event "${event}"`, cause);
  if (event !== 'error' && emitter.listenerCount('error') > 0) emitSafely(emitter, 'error', error);
  else
    process.emitWarning(`${error.message}: ${cause instanceof Error ? cause.name : typeof cause}`, {
      code: error.code,
    });
}
