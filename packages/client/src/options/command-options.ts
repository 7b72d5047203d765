/** Options of commands: of the client, of a view of it, of one call, the nearer before the farther. */
import type { DispatchOptions } from '../connection/dispatch-options.js';
import type { TypeMapping } from '../protocol/types.js';
import { DEFAULTS } from './defaults.js';

export interface CommandOptions<M extends TypeMapping = TypeMapping> extends DispatchOptions {
  /** Milliseconds from call to reply; 0 or an explicit undefined = no limit. @default 5000 */
  readonly timeout?: number;
  /** JavaScript types of replies: `{ [RESP_TYPES.BLOB_STRING]: Buffer }`. */
  readonly typeMapping?: M;
  /** Read these from the client-side cache, for at most `ttlMs` milliseconds. Needed with `clientSideCache.byCall`. */
  readonly cache?: { readonly ttlMs?: number };
}

interface Owner {
  readonly commandOptions: CommandOptions;
}

/** Options of which the timeout was given for a view or a call, and is not the client's. */
const withOwnTimeout = new WeakSet<CommandOptions>();

/** The timeout was given for these commands, so it bounds also those that wait on the server. */
export function hasOwnTimeout(options: CommandOptions): boolean {
  return withOwnTimeout.has(options);
}

/** `view` with `more` put over it. */
export function mergeOptions(owner: Owner, view: CommandOptions | undefined, more: CommandOptions): CommandOptions {
  const merged = merge(owner, view, more);
  if ('timeout' in more || (view !== undefined && withOwnTimeout.has(view))) withOwnTimeout.add(merged);
  return merged;
}

function merge(owner: Owner, view: CommandOptions | undefined, more: CommandOptions): CommandOptions {
  const merged = { ...owner.commandOptions, ...view, ...more };
  // An explicit `timeout: undefined` disables the timeout; an omitted one keeps the default.
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
