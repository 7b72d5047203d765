import { GuardError } from '../errors.js';
import type { RecordedEvent } from './chain.js';

const MAX_EVENT_BYTES = 65_536;

/**
 * What is stored is what was reported, whatever happens to the caller's objects; and one bad event harms no other.
 * Errors: REDKEEP_GUARD_ARGUMENT, REDKEEP_VALUE_TOO_LARGE.
 */
export function snapshotOf(event: RecordedEvent): RecordedEvent {
  // An optional field of the event may be given as undefined.
  const given = Object.fromEntries(Object.entries(event).filter(([, value]) => value !== undefined));
  let json: string;
  try {
    json = JSON.stringify(representable(given, 'event'));
  } catch (cause) {
    if (cause instanceof GuardError) throw cause;
    throw new GuardError('REDKEEP_GUARD_ARGUMENT', 'the event is not representable in JSON', { cause });
  }
  if (Buffer.byteLength(json) > MAX_EVENT_BYTES)
    throw new GuardError('REDKEEP_VALUE_TOO_LARGE', `limit ${MAX_EVENT_BYTES} bytes`);
  return JSON.parse(json) as RecordedEvent;
}

/** A copy of which JSON keeps everything. `JSON.stringify` itself writes null or {} for what it cannot keep, or nothing. */
function representable(value: unknown, path: string): unknown {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'object') throw unrepresentable(value, path);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') {
    const said: unknown = toJSON.call(value, path);
    // An invalid date says null.
    if (said === null || said === value) throw unrepresentable(value, path);
    return representable(said, path);
  }
  if (Array.isArray(value)) return Array.from(value, (item, at) => representable(item, `${path}[${at}]`));
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!plain || Object.getOwnPropertySymbols(value).length > 0) throw unrepresentable(value, path);
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, representable(item, `${path}.${name}`)]),
  );
}

/** Names place and type, never the value. */
function unrepresentable(value: unknown, path: string): GuardError {
  const type = typeof value === 'object' ? Object.prototype.toString.call(value).slice(8, -1) : typeof value;
  return new GuardError('REDKEEP_GUARD_ARGUMENT', `JSON cannot represent ${path.slice(0, 200)} (${type})`);
}
