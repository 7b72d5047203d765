import { randomBytes } from 'node:crypto';
import { mkdir, open, rename } from 'node:fs/promises';
import path from 'node:path';
import { readIfPresent } from '../files/read-if-present.js';
import type { NodeMemory } from './detect/node-memory.js';

/** What the monitor remembers over a restart, so that what happened while it was down is reported. */
export interface MonitorState {
  readonly format: 1;
  readonly nodes: Readonly<Record<string, NodeMemory>>;
}

/** The state in a file; undefined where there is none or it is damaged: the monitor then learns anew. */
export async function readMonitorState(file: string): Promise<MonitorState | undefined> {
  const text = await readIfPresent(file);
  if (text === undefined) return undefined;
  try {
    const state = JSON.parse(text) as Partial<MonitorState>;
    const nodes = Object.entries(state.nodes ?? {}).filter(([, memory]) => memory.format === 1);
    return state.format === 1 ? { format: 1, nodes: Object.fromEntries(nodes) } : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the file as a whole, readable for its owner alone: it names users and networks. */
export async function writeMonitorState(file: string, state: MonitorState): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const staging = `${file}.${randomBytes(6).toString('hex')}`;
  const handle = await open(staging, 'wx', 0o600);
  try {
    await handle.writeFile(JSON.stringify(state));
  } finally {
    await handle.close();
  }
  await rename(staging, file);
}
