import { type KeyObject, sign, verify } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import type { Head } from './chain.js';

/**
 * A signed statement about a chain. Kept outside Redis, it makes a rewritten or shortened chain visible, also one
 * rewritten by somebody who has the chain key.
 */
export interface Anchor extends Head {
  /** `head`: the chain ended here. `retention`: what came up to here was removed by `trim`, and may be missing. */
  readonly kind: 'head' | 'retention';
  readonly trail: string;
  /** ISO 8601. */
  readonly at: string;
  /** Ed25519, base64. */
  readonly signature: string;
}

export function signAnchor(kind: Anchor['kind'], trail: string, { seq, hash }: Head, privateKey: KeyObject): Anchor {
  const unsigned = { kind, trail, seq, hash, at: new Date().toISOString() };
  return { ...unsigned, signature: sign(null, signedText(unsigned), privateKey).toString('base64') };
}

/** Whether the anchor is unchanged and of this signer. Never throws: what is malformed is not genuine. */
export function verifyAnchor(anchor: Anchor, publicKey: KeyObject): boolean {
  try {
    return verify(null, signedText(anchor), publicKey, Buffer.from(anchor.signature, 'base64'));
  } catch {
    return false;
  }
}

function signedText({ kind, trail, seq, hash, at }: Omit<Anchor, 'signature'>): Buffer {
  return Buffer.from(JSON.stringify(['redkeep-anchor-v1', kind, trail, seq, hash, at]));
}

/** Keeps anchors as JSON lines in a file (0600), best on another machine or write-once storage. */
export function anchorFile(path: string): {
  readonly write: (anchor: Anchor) => Promise<void>;
  readonly read: () => Promise<Anchor[]>;
} {
  return {
    write: (anchor) => appendFile(path, `${JSON.stringify(anchor)}\n`, { mode: 0o600, flush: true }),
    async read() {
      const text = await readFile(path, 'utf8');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Anchor);
    },
  };
}
