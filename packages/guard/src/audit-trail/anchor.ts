import { type KeyObject, sign, verify } from 'node:crypto';
import { type FileHandle, open, readFile } from 'node:fs/promises';
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

/** Anchors in a file. */
export interface AnchorFile {
  readonly write: (anchor: Anchor) => Promise<void>;
  /** Anchors in order. What a crash left of a line is ignored and hides no anchor. */
  readonly read: () => Promise<Anchor[]>;
  /** How many lines are not anchors: 1 after a crash in the middle of a write. */
  readonly unreadable: () => Promise<number>;
}

/** Keeps anchors as JSON lines in a file (0600), best on another machine or write-once storage. */
export function anchorFile(path: string): AnchorFile {
  const lines = async () => (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return {
    async write(anchor) {
      const file = await open(path, 'a+', 0o600);
      try {
        // A line that a crash cut short is ended first, or it would take this one with it.
        const start = (await endsInLine(file)) ? '' : '\n';
        await file.appendFile(`${start}${JSON.stringify(anchor)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
    },
    read: async () => (await lines()).flatMap((line) => anchorOf(line) ?? []),
    unreadable: async () => (await lines()).filter((line) => anchorOf(line) === undefined).length,
  };
}

async function endsInLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] === 0x0a;
}

function anchorOf(line: string): Anchor | undefined {
  try {
    const anchor = JSON.parse(line) as Anchor | null;
    return typeof anchor?.seq === 'number' && typeof anchor.signature === 'string' ? anchor : undefined;
  } catch {
    return undefined;
  }
}
