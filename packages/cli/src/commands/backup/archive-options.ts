import type { ArchiveRunOptions } from '../../backup/archive/archive-run.js';
import type { ArchiveEvent } from '../../backup/archive/shard-archiver.js';
import { resolveSource, type SourceOptions } from '../../backup/source/resolve-source.js';
import type { Context } from '../../context.js';
import { CliError } from '../../errors.js';
import { BackupEnvironment, type StoreOptions } from './options.js';

export interface TakeOptions extends StoreOptions, SourceOptions {
  readonly recipient?: readonly string[];
  readonly onPrimary?: boolean;
  readonly json?: boolean;
  readonly sealSeconds?: string;
  readonly sealMegabytes?: string;
  readonly baseHours?: string;
  readonly spoolMegabytes?: string;
  readonly quietSeconds?: string;
  readonly cutSeconds?: string;
}

/** Numbers with their defaults and bounds, in one place. */
export const limits = {
  /** Writes that are in the archive's memory only; what is lost when this host is lost. */
  sealSeconds: { fallback: 2, least: 0.2, most: 3600 },
  sealMegabytes: { fallback: 32, least: 1, most: 1024 },
  /** A restore reads everything since the newest base. */
  baseHours: { fallback: 24, least: 0.001, most: 24 * 31 },
  /** What may wait on this host's disk while the store is away. */
  spoolMegabytes: { fallback: 8192, least: 16, most: 16_777_216 },
  /** Each cut makes writes wait for some milliseconds; 0 for none. */
  cutSeconds: { fallback: 300, least: 0, most: 86_400 },
  quietSeconds: { fallback: 60, least: 1, most: 3600 },
} as const;

export function numberOption(name: keyof typeof limits, text: string | undefined): number {
  const { fallback, least, most } = limits[name];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (text.trim() !== '' && value >= least && value <= most) return value;
  const flag = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  throw new CliError(
    'REDKEEP_USAGE',
    `--${flag} is not a number from ${least} to ${most}.`,
    `The default is ${fallback}.`,
  );
}

/** Everything an archive needs, from flags and files. */
export async function archiveOptions(
  context: Context,
  options: TakeOptions,
  command: 'run' | 'archive' | 'safety',
  onEvent: (event: ArchiveEvent) => void,
): Promise<{ readonly environment: BackupEnvironment; readonly run: ArchiveRunOptions }> {
  const environment = await BackupEnvironment.open(context, options);
  const named = environment.source === undefined ? options : { ...options, source: environment.source };
  const refresh = () => resolveSource(context, named);
  const source = await refresh();
  return {
    environment,
    run: {
      ...{ source, refresh, store: environment.store, onEvent },
      stateFolder: environment.stateOf(command),
      settings: {
        recipients: environment.recipients(options.recipient),
        sealMs: numberOption('sealSeconds', options.sealSeconds) * 1000,
        sealBytes: numberOption('sealMegabytes', options.sealMegabytes) * 1_000_000,
        quietMs: numberOption('quietSeconds', options.quietSeconds) * 1000,
        baseMs: numberOption('baseHours', options.baseHours) * 3_600_000,
      },
      spoolBytes: numberOption('spoolMegabytes', options.spoolMegabytes) * 1_000_000,
      cutMs: numberOption('cutSeconds', options.cutSeconds) * 1000,
      onPrimary: options.onPrimary ?? false,
      now: () => context.clock.now(),
    },
  };
}
