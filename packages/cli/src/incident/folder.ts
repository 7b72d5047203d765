import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CliError, explainSystemError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';

export const eventKinds = [
  'begun',
  'aware',
  'collected',
  'assessed',
  'contained',
  'released',
  'recovered',
  'decided',
] as const;
export type EventKind = (typeof eventKinds)[number];

/** Something that was done or decided, for the report. */
export interface IncidentEvent {
  readonly at: string;
  readonly kind: EventKind;
  readonly text: string;
  /** The file of the folder that holds the details. */
  readonly file?: string;
}

/** Everything about one incident: evidence, assessments, what was done, and the way back. Mode 0700. */
export class IncidentFolder {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Opens it; makes it where there is none. */
  static async begin(folder: string, now: Date): Promise<IncidentFolder> {
    const incident = new IncidentFolder(folder);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeFile(path.join(folder, '.gitignore'), '*\n', { mode: 0o600, flag: 'wx' }).catch(ignoreExisting);
      const begun = { format: 1, begunAt: now.toISOString() };
      await writeFile(incident.file('incident.json'), `${JSON.stringify(begun, null, 2)}\n`, {
        mode: 0o600,
        flag: 'wx',
      }).then(() => incident.record('begun', 'The incident folder was made.', now), ignoreExisting);
    } catch (error) {
      throw explainSystemError(error, folder);
    }
    return incident;
  }

  /** Opens one that must exist. */
  static async open(folder: string): Promise<IncidentFolder> {
    if ((await readIfPresent(path.join(folder, 'incident.json'))) !== undefined) return new IncidentFolder(folder);
    throw new CliError(
      'REDKEEP_USAGE',
      `${folder} is not the folder of an incident.`,
      'Begin with "redkeep incident collect", or name the folder with --incident.',
    );
  }

  file(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts);
  }

  async record(kind: EventKind, text: string, now: Date, file?: string): Promise<void> {
    const event: IncidentEvent = { at: now.toISOString(), kind, text, ...(file !== undefined && { file }) };
    await appendFile(this.file('events.jsonl'), `${JSON.stringify(event)}\n`, { mode: 0o600, flush: true });
  }

  async events(): Promise<readonly IncidentEvent[]> {
    const text = (await readIfPresent(this.file('events.jsonl'))) ?? '';
    // A line that a crash cut off is left out.
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as IncidentEvent);
  }

  /** Writes a result beside the earlier ones: `assessment-20260301T140306Z.json`. */
  async keep(name: string, now: Date, content: unknown): Promise<string> {
    const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '');
    for (let number = 0; ; number += 1) {
      const file = `${name}-${stamp}${number === 0 ? '' : `-${number}`}.json`;
      try {
        await writeFile(this.file(file), `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600, flag: 'wx' });
        return file;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw explainSystemError(error, this.file(file));
      }
    }
  }

  async read<T>(file: string): Promise<T> {
    return JSON.parse(await readFile(this.file(file), 'utf8')) as T;
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
