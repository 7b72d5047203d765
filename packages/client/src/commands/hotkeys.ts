/** HOTKEYS: which keys take the most processor time or network. Redis 8.6. */
import type { SimpleString } from '../protocol/types.js';
import type { SlotRange } from './cluster.js';
import { Command, spec } from './command.js';
import { entriesOf } from './shapes.js';

export interface HotkeyEntry {
  key: string;
  value: number;
}
/** Times in microseconds where the name ends in `Us`, in milliseconds where it ends in `Ms`. */
export interface HotkeysGetReply {
  trackingActive: number;
  sampleRatio: number;
  selectedSlots: SlotRange[];
  sampledCommandsSelectedSlotsUs?: number;
  allCommandsSelectedSlotsUs?: number;
  allCommandsAllSlotsUs: number;
  netBytesSampledCommandsSelectedSlots?: number;
  netBytesAllCommandsSelectedSlots?: number;
  netBytesAllCommandsAllSlots: number;
  collectionStartTimeUnixMs: number;
  collectionDurationMs: number;
  totalCpuTimeSysMs: number;
  totalCpuTimeUserMs: number;
  totalNetBytes: number;
  byCpuTimeUs?: HotkeyEntry[];
  byNetBytes?: HotkeyEntry[];
}

const hotkeys = (value: unknown): HotkeyEntry[] =>
  entriesOf(value).map(([key, amount]) => ({ key, value: Number(amount) }));
const slotRanges = (value: unknown[]): SlotRange[] =>
  value.map((range) => {
    const [start, end = start] = (Array.isArray(range) ? range : [range]).map(Number);
    return { start: start!, end: end! };
  });
const camelCase = (name: string): string => name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());

const NUMBERS = new Set([
  'tracking-active',
  'sample-ratio',
  'sampled-commands-selected-slots-us',
  'all-commands-selected-slots-us',
  'all-commands-all-slots-us',
  'net-bytes-sampled-commands-selected-slots',
  'net-bytes-all-commands-selected-slots',
  'net-bytes-all-commands-all-slots',
  'collection-start-time-unix-ms',
  'collection-duration-ms',
  'total-cpu-time-sys-ms',
  'total-cpu-time-user-ms',
  'total-net-bytes',
]);
function readHotkeys(reply: unknown): HotkeysGetReply | null {
  if (reply === null) return null;
  const result: Record<string, unknown> = {};
  for (const [name, value] of entriesOf(reply)) {
    if (name === 'selected-slots') result.selectedSlots = slotRanges(value as unknown[]);
    else if (name === 'by-cpu-time-us' || name === 'by-net-bytes') result[camelCase(name)] = hotkeys(value);
    else if (NUMBERS.has(name)) result[camelCase(name)] = Number(value);
  }
  return result as unknown as HotkeysGetReply;
}
const HOTKEYS_GET = spec('HOTKEYS GET', { read: readHotkeys });
/** What was collected; null when nothing was. Redis 8.6.0. */
export const hotkeysGet = () => new Command<HotkeysGetReply | null>(HOTKEYS_GET, []);

const HOTKEYS_RESET = spec('HOTKEYS RESET');
/** Forgets what was collected. Redis 8.6.0. */
export const hotkeysReset = () => new Command<SimpleString<'OK'>>(HOTKEYS_RESET, []);

export interface HotkeysStartOptions {
  /** `count`: how many metrics follow. */
  METRICS: { count: number; CPU?: boolean; NET?: boolean };
  /** How many keys to keep. */
  COUNT?: number;
  /** Seconds. */
  DURATION?: number;
  /** Look at one command in this many. */
  SAMPLE?: number;
  SLOTS?: { count: number; slots: readonly number[] };
}
const HOTKEYS_START = spec('HOTKEYS START');
/** Begins to collect. Redis 8.6.0. */
export function hotkeysStart(options: HotkeysStartOptions): Command<SimpleString<'OK'>> {
  const { METRICS, COUNT, DURATION, SAMPLE, SLOTS } = options;
  const args: unknown[] = ['METRICS', METRICS.count];
  if (METRICS.CPU) args.push('CPU');
  if (METRICS.NET) args.push('NET');
  if (COUNT !== undefined) args.push('COUNT', COUNT);
  if (DURATION !== undefined) args.push('DURATION', DURATION);
  if (SAMPLE !== undefined) args.push('SAMPLE', SAMPLE);
  if (SLOTS !== undefined) args.push('SLOTS', SLOTS.count, ...SLOTS.slots);
  return new Command(HOTKEYS_START, args);
}

const HOTKEYS_STOP = spec('HOTKEYS STOP');
/** Ends collecting; null when nothing was being collected. Redis 8.6.0. */
export const hotkeysStop = () => new Command<SimpleString<'OK'> | null>(HOTKEYS_STOP, []);

export const aliases = {
  hotkeysGet: 'HOTKEYS_GET',
  hotkeysReset: 'HOTKEYS_RESET',
  hotkeysStart: 'HOTKEYS_START',
  hotkeysStop: 'HOTKEYS_STOP',
} as const;
