import type { Encryption } from '../encryption/encryption.js';
import { GuardError, type GuardErrorCode } from '../errors.js';
import type { RecordedEvent } from './chain.js';
import type { Spool } from './spool.js';

/** An event that waits on disk. */
export interface SpooledEvent {
  readonly event: RecordedEvent;
  /**
   * Redis may have it already, as an entry after this sequence number: it was sent, and the answer is not known.
   * Undefined: it was never sent.
   */
  readonly sentAfter: number | undefined;
}

/** What an event sealed with a key that is gone, or a line that somebody changed, fails with. */
const UNREADABLE: readonly GuardErrorCode[] = [
  'REDKEEP_ENCRYPTION_TAMPERED',
  'REDKEEP_ENCRYPTION_FOREIGN',
  'REDKEEP_ENCRYPTION_VERSION',
  'REDKEEP_ENCRYPTION_KEY_UNKNOWN',
];

/*
 * A line of the spool:   <sent after, or -> <event as JSON, or sealed as base64>
 */

/** Events in a {@link Spool}, sealed when there is an encryption. */
export class SpooledEvents {
  readonly #spool: Spool;
  readonly #encryption: Encryption | undefined;
  readonly #place: { readonly space: string; readonly key: string };

  constructor(spool: Spool, encryption: Encryption | undefined, trail: string) {
    this.#spool = spool;
    this.#encryption = encryption;
    this.#place = { space: 'audit-spool', key: trail };
  }

  async add(events: readonly SpooledEvent[]): Promise<void> {
    await this.#spool.write(await Promise.all(events.map((event) => this.#lineOf(event))));
  }

  async replace(events: readonly SpooledEvent[]): Promise<void> {
    await this.#spool.replace(await Promise.all(events.map((event) => this.#lineOf(event))));
  }

  /** Events in order. Lines that cannot be read are put aside and counted. */
  async read(): Promise<{ readonly events: readonly SpooledEvent[]; readonly unreadable: number }> {
    const events: SpooledEvent[] = [];
    const unreadable: string[] = [];
    for (const line of await this.#spool.read()) {
      const event = await this.#eventOf(line);
      if (event === undefined) unreadable.push(line);
      else events.push(event);
    }
    if (unreadable.length > 0) {
      await this.#spool.setAside(unreadable);
      await this.replace(events);
    }
    return { events, unreadable: unreadable.length };
  }

  async #lineOf({ event, sentAfter }: SpooledEvent): Promise<string> {
    const json = JSON.stringify(event);
    const sealed = await this.#encryption?.seal(json, this.#place);
    return `${sentAfter ?? '-'} ${sealed?.toString('base64') ?? json}`;
  }

  async #eventOf(line: string): Promise<SpooledEvent | undefined> {
    const [, mark, payload] = /^(-|\d{1,15}) (.+)$/.exec(line) ?? [];
    if (mark === undefined || payload === undefined) return undefined;
    try {
      const json = this.#encryption && (await this.#encryption.open(Buffer.from(payload, 'base64'), this.#place));
      const event = JSON.parse(json?.toString() ?? payload) as RecordedEvent;
      return { event, sentAfter: mark === '-' ? undefined : Number(mark) };
    } catch (error) {
      // A line is kept while the key provider is away.
      if (error instanceof GuardError && !UNREADABLE.includes(error.code)) throw error;
      return undefined;
    }
  }
}
