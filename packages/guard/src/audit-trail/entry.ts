import type { PersonKeys } from '../encryption/person-keys.js';
import { GuardError } from '../errors.js';
import type { RecordedEvent } from './chain.js';

/** An entry as stored: the event, or the event with its personal part sealed for the subject. */
export interface StoredEntry {
  readonly id: string;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly outcome?: string;
  readonly subject?: string;
  readonly resource?: string;
  readonly from?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** Sealed `subject`, `resource`, `from`, `details`, base64. */
  readonly sealed?: string;
  /** The subject was erased before the entry was stored, so its personal part was left out. */
  readonly erased?: true;
}

/** JSON text of an entry. `subject` becomes a pseudonym when there are person keys. */
export async function entryBody(event: RecordedEvent, persons: PersonKeys | undefined, trail: string): Promise<string> {
  if (persons === undefined || event.subject === undefined) return JSON.stringify(event);
  const { id, at, actor, action, outcome, subject, resource, from, details } = event;
  const clear = { id, at, actor, action, ...(outcome && { outcome }), subject: persons.pseudonym(subject) };
  try {
    const personal = JSON.stringify({ subject, resource, from, details });
    const sealed = await persons.sealer(subject).seal(personal, placeOf(trail, id));
    return JSON.stringify({ ...clear, sealed: sealed.toString('base64') } satisfies StoredEntry);
  } catch (error) {
    if (!(error instanceof GuardError) || error.code !== 'REDKEEP_PERSON_ERASED') throw error;
    return JSON.stringify({ ...clear, erased: true } satisfies StoredEntry);
  }
}

/** The entry with its personal part opened; as it is when the person was erased. */
export async function openEntry(
  entry: StoredEntry,
  persons: PersonKeys | undefined,
  subject: string,
  trail: string,
): Promise<StoredEntry> {
  if (entry.sealed === undefined || persons === undefined) return entry;
  const { sealed, ...clear } = entry;
  try {
    const opened = await persons.sealer(subject).open(Buffer.from(sealed, 'base64'), placeOf(trail, entry.id));
    return { ...clear, ...(JSON.parse(opened.toString()) as Partial<StoredEntry>) };
  } catch (error) {
    const gone = error instanceof GuardError && /ERASED|KEY_UNKNOWN/.test(error.code);
    if (!gone) throw error;
    return { ...clear, erased: true };
  }
}

function placeOf(trail: string, id: string) {
  return { space: 'audit', key: trail, field: id };
}
