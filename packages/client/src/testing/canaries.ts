/** Secrets that are planted, and the net that everything which comes out of the client is caught in. */
import { inspect } from 'node:util';
import { serialize } from 'node:v8';
import { RedkeepError } from '../errors.js';

/** Each with characters that base64, hex, URLs and JSON write differently. */
export const CANARIES = {
  password: 'p4ss+/?&=w0rd"c4nary',
  token: 'eyJ.t0k3n+/?&=c4nary',
  value: 'v4lue+/?&=:c4nary\u00e9',
  key: 'k3y:{a}+/?&=c4nary',
} as const;

/** How a secret may look when it leaves: as it is, and in encodings it could hide in. */
export const ENCODINGS: Readonly<Record<string, (secret: string) => readonly string[]>> = {
  clear: (secret) => [secret],
  'other case': (secret) => [secret.toUpperCase(), secret.toLowerCase()],
  base64: (secret) => shifted(secret, 'base64'),
  base64url: (secret) => shifted(secret, 'base64url'),
  hex: (secret) => [Buffer.from(secret).toString('hex'), Buffer.from(secret).toString('hex').toUpperCase()],
  'bytes of inspect': (secret) => [
    Buffer.from(secret)
      .toString('hex')
      .replace(/..(?=.)/g, '$& '),
  ],
  URL: (secret) => [encodeURIComponent(secret), encodeURI(secret)],
  JSON: (secret) => [JSON.stringify(secret).slice(1, -1)],
  latin1: (secret) => [Buffer.from(secret).toString('latin1')],
};

/** base64 of the same bytes differs by where they begin: what all of its three forms have for certain. */
function shifted(secret: string, encoding: 'base64' | 'base64url'): string[] {
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)])
      .toString(encoding)
      .replace(/=+$/, '');
    return text.slice(shift === 0 ? 0 : shift + 1, -2);
  });
}

export const FORMS = Object.values(CANARIES).flatMap((secret) =>
  Object.values(ENCODINGS).flatMap((encode) => encode(secret)),
);

const INSPECT = { depth: 6, getters: false, maxStringLength: null, maxArrayLength: null } as const;

export class Net {
  /** Texts that were searched. */
  texts = 0;
  readonly #leaks: string[] = [];
  readonly #codes = new Set<string>();

  /** Catches a value in every form in which it can be printed or handed on. */
  add(value: unknown, where: string): void {
    for (const customInspect of [false, true])
      this.#search(inspect(value, { ...INSPECT, showHidden: true, customInspect }), where);
    this.#search(
      tryTo(() => JSON.stringify(value)),
      `${where} as JSON`,
    );
    this.#search(
      tryTo(() => inspect(structuredClone(value), { ...INSPECT, showHidden: true })),
      `${where} cloned`,
    );
    // What a worker, or a file, would get.
    this.#search(
      tryTo(() => serialize(value).toString('latin1')),
      `${where} serialized`,
    );
    this.#search(`${tryTo(() => String(value))}`, where);
    if (typeof value === 'object' && value !== null) this.#walk(value, where, new Set());
  }

  /** All that hangs on an object, hidden properties too; of errors also what their class's getters give. */
  #walk(value: object, where: string, seen: Set<object>): void {
    if (seen.has(value) || seen.size > 2000) return;
    seen.add(value);
    if (value instanceof Error) this.#note(value);
    for (const owner of value instanceof Error ? [value, Object.getPrototypeOf(value) as object] : [value]) {
      for (const name of Reflect.ownKeys(owner)) {
        // The server's own words, by deliberate choice only.
        if (name === 'serverMessage' || name === 'constructor') continue;
        const inner = tryTo(() => (value as Record<PropertyKey, unknown>)[name]);
        if (typeof inner === 'string') this.#search(inner, `${where}.${String(name)}`);
        else if (Buffer.isBuffer(inner)) this.#search(inner.toString('latin1'), `${where}.${String(name)}`);
        else if (typeof inner === 'object' && inner !== null) this.#walk(inner, `${where}.${String(name)}`, seen);
      }
    }
  }

  #note(error: Error & { code?: unknown; hint?: unknown; toPublic?: () => object }): void {
    if (typeof error.code === 'string') this.#codes.add(error.code);
    // A failure of the network has the system's code, and one of ours in public.
    if (error instanceof RedkeepError) this.#codes.add(error.toPublic().code);
    this.#search(`${error.stack} ${error.message} ${String(error.hint)}`, 'error');
    this.#search(
      tryTo(() => JSON.stringify(error.toPublic?.())),
      'toPublic()',
    );
  }

  #search(text: string | undefined, where: string): void {
    if (text === undefined) return;
    this.texts++;
    for (const form of FORMS) if (text.includes(form)) this.#leaks.push(`${where}: ${text.slice(0, 400)}`);
  }

  get leaks(): readonly string[] {
    return this.#leaks;
  }
  /** Codes of the errors that were caught. */
  get codes(): ReadonlySet<string> {
    return this.#codes;
  }
}

function tryTo<T>(attempt: () => T): T | undefined {
  try {
    return attempt();
  } catch {
    return undefined; // cannot be printed that way
  }
}
