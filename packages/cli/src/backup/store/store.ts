/** An object of a store, by name. */
export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
}

export type ObjectContent = { readonly file: string; readonly bytes: number } | { readonly data: Buffer };

/**
 * Where objects of a backup are kept. Names are `/`-separated words of letters, digits, `.`, `-` and `_`. A writer puts
 * and lists; only a reader gets and only the expiry removes, so that each can have a login of its own.
 */
export interface Store {
  /** How it is named in messages; holds no secret. */
  readonly description: string;
  /** False where it may be on this machine. */
  readonly isOffHost: boolean;
  /** Writes a whole object under a new name, or nothing. Rejects with `ObjectExists` where the name is taken. */
  put(name: string, content: ObjectContent): Promise<void>;
  /** Rejects with `ObjectMissing`. */
  get(name: string): Promise<AsyncIterable<Buffer>>;
  /** Everything below a prefix that ends in `/`, in no order. */
  list(prefix: string): Promise<readonly StoredObject[]>;
  remove(name: string): Promise<void>;
}

/** The name is taken: objects are never replaced. */
export class ObjectExists extends Error {
  override readonly name = 'ObjectExists';
}

export class ObjectMissing extends Error {
  override readonly name = 'ObjectMissing';
}

/**
 * Reads an object of at most `limit` bytes; undefined where it is larger. Anyone who may write to a store can put a
 * large object there, which must not end a command that reads the others.
 */
export async function readObject(store: Store, name: string, limit: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of await store.get(name)) {
    bytes += part.length;
    if (bytes > limit) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts);
}
