/**
 * The clock and the timers as they were when this module was loaded. An application's tests put fake ones in their
 * place (sinon, Jest, Vitest, `mock.timers` of node:test), which stop or jump by a day: the network's time does
 * not, so a jump must not end commands, and a stopped clock must not keep them waiting for ever.
 */
import timers from 'node:timers';

export const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, clearImmediate } = timers;

/** A monotonic clock, in milliseconds. */
export const performance = {
  now: globalThis.performance.now.bind(globalThis.performance),
  timeOrigin: globalThis.performance.timeOrigin,
} as const;

export const nextTick: typeof process.nextTick = process.nextTick.bind(process);
