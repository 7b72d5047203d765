import type { PersonKeys } from '../encryption/person-keys.js';
import { hasCode } from '../errors.js';
import type { AuditEvent, RecordedEvent } from './chain.js';

/** An entry as stored: the event, or the event with its personal parts sealed. */
export interface StoredEntry {
  readonly id: string;
  readonly at: number;
  /** A pseudonym when the trail has person keys and the actor is not a service. */
  readonly actor: string;
  readonly actorKind?: AuditEvent['actorKind'];
  readonly action: string;
  readonly outcome?: string;
  readonly subject?: string;
  readonly resource?: string;
  readonly from?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  /** What is about the subject, sealed under the subject's key, base64; the actor's part is sealed once more inside. */
  readonly sealed?: string;
  /** What is about the actor, sealed under the actor's key, base64. */
  readonly sealedActor?: string;
  /** The subject or the actor was erased: their part cannot be read. */
  readonly erased?: true;
}

type Part = Partial<Omit<StoredEntry, 'id' | 'at' | 'action'>>;

/** JSON text of an entry. Actor and subject become pseudonyms when there are person keys. */
export async function entryBody(event: RecordedEvent, persons: PersonKeys | undefined, trail: string): Promise<string> {
  if (persons === undefined) return JSON.stringify(event);
  const { id, at, actor, actorKind = 'person', action, outcome, subject, resource, from, details } = event;
  const clear: Part & Pick<StoredEntry, 'id' | 'at' | 'action'> = {
    id,
    at,
    actor: actorKind === 'service' ? actor : persons.pseudonym(actor),
    ...(actorKind === 'person' ? {} : { actorKind }),
    action,
    ...(outcome && { outcome }),
  };
  const seal = (person: string, part: Part, field: string) => sealPart(persons, person, part, trail, `${id}:${field}`);
  const about: Part = { ...(resource && { resource }), ...(details && { details }) };
  const byActor: Part = { actor, ...(from !== undefined && { from }) };
  if (subject === undefined) {
    if (actorKind !== 'person') return JSON.stringify({ ...clear, ...about, ...(from !== undefined && { from }) });
    return JSON.stringify({ ...clear, ...(await seal(actor, { ...about, ...byActor }, 'actor')) });
  }
  const inner = actorKind === 'person' ? await seal(actor, byActor, 'actor') : byActor;
  const outer = await seal(subject, { subject, ...about, ...inner }, 'subject');
  return JSON.stringify({
    ...clear,
    subject: persons.pseudonym(subject),
    ...('sealedActor' in outer ? { sealed: outer.sealedActor } : outer),
  });
}

/** A part under a person's key; a note that there is none when the person was erased. */
async function sealPart(persons: PersonKeys, person: string, part: Part, trail: string, field: string): Promise<Part> {
  try {
    const sealed = await persons.sealer(person).seal(JSON.stringify(part), placeOf(trail, field));
    return { sealedActor: sealed.toString('base64') };
  } catch (error) {
    if (!hasCode(error, 'REDKEEP_PERSON_ERASED')) throw error;
    return { erased: true };
  }
}

/** The entry with its personal parts opened; without those of people who were erased. */
export async function openEntry(
  entry: StoredEntry,
  persons: PersonKeys | undefined,
  trail: string,
): Promise<StoredEntry> {
  if (persons === undefined) return entry;
  const { sealed, sealedActor, ...clear } = entry;
  let opened: StoredEntry = { ...clear, ...(sealedActor !== undefined && { sealedActor }) };
  if (sealed !== undefined && entry.subject !== undefined)
    opened = { ...opened, ...(await openPart(persons, entry.subject, sealed, trail, `${entry.id}:subject`)) };
  const { sealedActor: inner, ...rest } = opened;
  if (inner === undefined) return rest;
  return { ...rest, ...(await openPart(persons, entry.actor, inner, trail, `${entry.id}:actor`)) };
}

async function openPart(
  persons: PersonKeys,
  pseudonym: string,
  sealed: string,
  trail: string,
  field: string,
): Promise<Part> {
  try {
    const opened = await persons.sealerOf(pseudonym).open(Buffer.from(sealed, 'base64'), placeOf(trail, field));
    return JSON.parse(opened.toString()) as Part;
  } catch (error) {
    if (!hasCode(error, 'REDKEEP_PERSON_ERASED', 'REDKEEP_ENCRYPTION_KEY_UNKNOWN')) throw error;
    return { erased: true };
  }
}

function placeOf(trail: string, field: string) {
  return { space: 'audit', key: trail, field };
}
