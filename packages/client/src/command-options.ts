/** Options of commands: of the client, of a view of it, of one call, the nearer before the farther. */
import { type CommandOptions, DEFAULTS } from './options.js';

interface Owner {
  readonly commandOptions: CommandOptions;
}

/** `view` with `more` put over it. */
export function mergeOptions(owner: Owner, view: CommandOptions | undefined, more: CommandOptions): CommandOptions {
  const merged = { ...owner.commandOptions, ...view, ...more };
  // Said to be undefined is another thing than not said: no timeout.
  return 'timeout' in merged && merged.timeout === undefined ? { ...merged, timeout: 0 } : merged;
}

/** {@link mergeOptions} for a call that may have none. */
export function callOptions(
  owner: Owner,
  view: CommandOptions | undefined,
  call: CommandOptions | undefined,
): CommandOptions | undefined {
  return call === undefined ? view : mergeOptions(owner, view, call);
}

/** What commands run with, the default timeout included; `timeout: undefined` when there is none. */
export function effectiveOptions(owner: Owner, view: CommandOptions | undefined): CommandOptions {
  const merged = mergeOptions(owner, view, {});
  const { timeout = DEFAULTS.commandTimeout } = merged;
  return { ...merged, timeout: timeout === 0 ? undefined : timeout } as CommandOptions;
}
