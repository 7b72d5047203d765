import { type FileHandle, mkdir, open } from 'node:fs/promises';
import path from 'node:path';
import type { Store } from '../store/store.js';
import type { ShardPlan } from './plan-restore.js';
import { damaged, readContent } from './read-object.js';
import { SegmentCutter } from './segment-cutter.js';

export interface WrittenData {
  readonly folder: string;
  readonly bytes: number;
  /** Commands behind the base. */
  readonly commands: number;
}

export interface WriteOptions {
  readonly store: Store;
  readonly identities: readonly string[];
  readonly signal: AbortSignal;
  /** Encrypted bytes that were read so far. */
  readonly onProgress?: (bytes: number) => void;
}

/** Names that Redis 7 and Valkey give to their files by default (`appenddirname`, `appendfilename`). */
export const appendFolder = 'appendonlydir';
const appendName = 'appendonly.aof';
/** The writes behind the base, in `appendFolder`. */
export const incrementalFile = `${appendName}.1.incr.aof`;

/**
 * Writes a folder from which a server of the right version starts with `appendonly yes`: the base, one append-only
 * file with the writes behind it, and the manifest that names both. The folder must be new.
 */
export async function writeDataFolder(folder: string, plan: ShardPlan, options: WriteOptions): Promise<WrittenData> {
  const target = path.join(folder, appendFolder);
  await mkdir(target, { recursive: true, mode: 0o700 });
  const baseFile = `${appendName}.1.base.rdb`;
  let read = 0;
  let bytes = 0;
  const progress = (plain: number, encrypted: number) => {
    bytes += plain;
    read += encrypted;
    options.onProgress?.(read);
  };
  await withFile(path.join(target, baseFile), async (file) => {
    for await (const part of readContent(options.store, plan.base.body.object, options.identities)) {
      options.signal.throwIfAborted();
      await file.write(part);
      progress(part.length, 0);
    }
    progress(0, plan.base.body.object.bytes);
  });
  const cutter = new SegmentCutter({
    startOffset: plan.base.body.offset,
    stopOffset: plan.stopOffset,
    stopSecond: plan.stopSecond,
  });
  await withFile(path.join(target, incrementalFile), async (file) => {
    for (const { body } of plan.segments) {
      if (cutter.stopped) break;
      cutter.beginSegment();
      for await (const part of readContent(options.store, body.object, options.identities)) {
        options.signal.throwIfAborted();
        for (const piece of cutter.take(part)) {
          await file.write(piece);
          progress(piece.length, 0);
        }
      }
      if (!cutter.isWhole) throw damaged(body.object.name, 'it ends inside a command');
      progress(0, body.object.bytes);
    }
  });
  await withFile(path.join(target, `${appendName}.manifest`), (file) =>
    file.writeFile(`file ${baseFile} seq 1 type b\nfile ${incrementalFile} seq 1 type i\n`),
  );
  return { folder, bytes, commands: cutter.commands };
}

async function withFile(name: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(name, 'wx', 0o600);
  try {
    await work(file);
    await file.sync();
  } finally {
    await file.close();
  }
}
