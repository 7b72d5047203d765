import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Server } from '@redkeep/testing';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { type ArchiveRunOptions, archive } from '../archive/archive-run.js';
import type { ArchiveEvent, ArchiveSettings } from '../archive/shard-archiver.js';
import type { BackupSource } from '../source/backup-source.js';
import { connectEndpoint } from '../source/connect-endpoint.js';
import { FolderStore } from '../store/folder-store.js';
import type { Store } from '../store/store.js';

/** A key, a store in a folder, and archives of real servers, for one test. */
export class ArchiveHarness {
  readonly folder: string;
  readonly storeFolder: string;
  readonly identity: string;
  readonly recipient: string;
  readonly identityFile: string;
  readonly events: ArchiveEvent[] = [];
  store: Store;

  private constructor(folder: string, identity: string, recipient: string) {
    this.folder = folder;
    this.storeFolder = path.join(folder, 'store');
    this.store = new FolderStore(this.storeFolder);
    this.identity = identity;
    this.recipient = recipient;
    this.identityFile = path.join(folder, 'identity.txt');
  }

  static async create(): Promise<ArchiveHarness> {
    const folder = await mkdtemp(path.join(tmpdir(), 'redkeep-backup-'));
    const identity = await generateX25519Identity();
    const harness = new ArchiveHarness(folder, identity, await identityToRecipient(identity));
    await mkdir(harness.storeFolder);
    await writeFile(harness.identityFile, `${identity}\n`, { mode: 0o600 });
    return harness;
  }

  path(...parts: readonly string[]): string {
    return path.join(this.folder, ...parts);
  }

  /** A source of servers by shard, reached as their administrator or as a user of its own. */
  source(
    shards: Readonly<Record<string, readonly Server[]>>,
    login?: { readonly username: string; readonly password: string },
  ): BackupSource {
    const names = Object.keys(shards);
    return {
      name: 'test',
      topology: names.length > 1 ? 'cluster' : 'single',
      shards: names.map((name) => ({
        name,
        nodes: shards[name]!.map((server) => ({
          name: `${server.host}:${server.port}`,
          endpoint: { host: server.host, port: server.port },
        })),
      })),
      login,
      observe: ({ endpoint }) => connectEndpoint(endpoint, undefined),
      control: ({ endpoint }) => connectEndpoint(endpoint, undefined),
    };
  }

  options(source: BackupSource, settings: Partial<ArchiveSettings> = {}): ArchiveRunOptions {
    return {
      source,
      refresh: async () => source,
      store: this.store,
      stateFolder: this.path('state', 'archive'),
      settings: {
        ...{ recipients: [this.recipient], sealMs: 500, sealBytes: 32_000_000, quietMs: 60_000, baseMs: 86_400_000 },
        ...settings,
      },
      spoolBytes: 1_000_000_000,
      onPrimary: true,
      cutMs: 0,
      now: () => new Date(),
      onEvent: (event) => this.events.push(event),
    };
  }

  /** Starts an archive; `stop` ends it and waits until all of it is in the store. */
  start(options: ArchiveRunOptions): { readonly stop: () => Promise<void>; readonly ended: Promise<unknown> } {
    const abort = new AbortController();
    const ended = archive(options, abort.signal);
    const settled = ended.catch(() => undefined);
    this.#running.push(() => {
      abort.abort();
      return settled;
    });
    return {
      ended,
      stop: async () => {
        abort.abort();
        await ended;
      },
    };
  }

  readonly #running: (() => Promise<unknown>)[] = [];

  /** Ends what a test that failed has left running, and removes its folder. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.remove();
  }

  async remove(): Promise<void> {
    await Promise.all(this.#running.map((stop) => stop()));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Text that does not compress. */
export function noise(bytes: number): string {
  return randomBytes(bytes).toString('base64').slice(0, bytes);
}
