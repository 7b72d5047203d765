import { type KeyObject, sign, verify } from 'node:crypto';
import { appendFile, readFile } from 'node:fs/promises';
import type { Head } from './chain.js';

/**
 * A signed statement of where the chain ended. Kept outside Redis, it makes a rewritten or shortened chain visible,
 * also one rewritten by somebody who has the chain key.
 */
export interface Anchor extends Head {
  readonly trail: string;
  /** ISO 8601. */
  readonly at: string;
  /** Ed25519, base64. */
  readonly signature: string;
}

export function signAnchor(trail: string, head: Head, privateKey: KeyObject): Anchor {
  const unsigned = { trail, seq: head.seq, hash: head.hash, at: new Date().toISOString() };
  return { ...unsigned, signature: sign(null, signedText(unsigned), privateKey).toString('base64') };
}

/** Whether the anchor is unchanged and of this signer. */
export function verifyAnchor(anchor: Anchor, publicKey: KeyObject): boolean {
  return verify(null, signedText(anchor), publicKey, Buffer.from(anchor.signature, 'base64'));
}

function signedText({ trail, seq, hash, at }: Omit<Anchor, 'signature'>): Buffer {
  return Buffer.from(JSON.stringify(['redkeep-anchor-v1', trail, seq, hash, at]));
}

/** Keeps anchors as JSON lines in a file (0600), best on another machine or write-once storage. */
export function anchorFile(path: string): {
  readonly write: (anchor: Anchor) => Promise<void>;
  readonly read: () => Promise<Anchor[]>;
} {
  return {
    write: (anchor) => appendFile(path, `${JSON.stringify(anchor)}\n`, { mode: 0o600 }),
    async read() {
      const text = await readFile(path, 'utf8');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Anchor);
    },
  };
}
