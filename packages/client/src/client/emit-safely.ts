import type { EventEmitter } from 'node:events';
import { performance } from '../clock.js';
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
  else warn(event, error, cause);
}

/** Milliseconds between two warnings about listeners of one event: it may come thousands of times a second. */
const WARNING_GAP_MS = 10_000;
const warnedAt = new Map<string, number>();

function warn(event: string, { message, code }: CallbackError, cause: unknown): void {
  const now = performance.now();
  const last = warnedAt.get(event);
  if (last !== undefined && now - last < WARNING_GAP_MS) return;
  warnedAt.set(event, now);
  process.emitWarning(`${message}: ${cause instanceof Error ? cause.name : typeof cause}`, { code });
}
