import { readIfPresent } from '../files/read-if-present.js';
import { replaceFile } from '../files/replace-file.js';
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
export function writeMonitorState(file: string, state: MonitorState): Promise<void> {
  return replaceFile(file, JSON.stringify(state));
}
