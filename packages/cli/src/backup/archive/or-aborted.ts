/**
 * Waits for a call of `resolve`, or for the signal. Leaves no listener behind: a service waits like this for
 * months on one signal.
 */
export function orAborted(signal: AbortSignal, begin: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      signal.removeEventListener('abort', done);
      resolve();
    };
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', done);
    begin(done);
  });
}
