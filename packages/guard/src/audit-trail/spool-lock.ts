import { randomUUID } from 'node:crypto';
import { link, open, readFile, readlink, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { GuardError } from '../errors.js';

/** Spools of this process that are open, by their whole path. */
const openHere = new Set<string>();
/** Milliseconds between signs of life. */
const HEARTBEAT_MS = 5000;
/** A holder in another container or on another machine is taken for gone after this long without a sign of life. */
const SILENT_MS = 30_000;
const ATTEMPTS = 5;

/** The process that holds a lock, as far as another process can find out. */
interface Holder {
  readonly token: string;
  readonly pid: number;
  /** When the process began, so that another one of the same number is not taken for it. */
  readonly started: string;
  /** Kernel and process namespace: only inside them is a pid a pid. */
  readonly where: string;
}

/**
 * `<path>.lock`: which process a spool belongs to. In the same process namespace the holder is looked up by pid and start
 * time; two containers are both pid 1, so between namespaces and machines only the file's age counts, which the
 * holder renews. The holder checks that it still is one before each write.
 */
export class SpoolLock {
  readonly #spool: string;
  readonly #path: string;
  #holder: Holder | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(spool: string) {
    this.#spool = spool;
    this.#path = `${spool}.lock`;
  }

  get isHeld(): boolean {
    return this.#holder !== undefined;
  }

  /** Errors: REDKEEP_AUDIT_SPOOL when another trail or process has it, or the file cannot be made. */
  async acquire(): Promise<void> {
    if (openHere.has(this.#spool))
      throw new GuardError('REDKEEP_AUDIT_SPOOL', 'in use by another trail of this process');
    openHere.add(this.#spool);
    try {
      this.#holder = await this.#take();
    } catch (cause) {
      openHere.delete(this.#spool);
      if (cause instanceof GuardError) throw cause;
      throw new GuardError('REDKEEP_AUDIT_SPOOL', (cause as NodeJS.ErrnoException).code, { cause });
    }
    this.#heartbeat = setInterval(() => void this.beat().catch(() => undefined), HEARTBEAT_MS).unref();
  }

  /**
   * A sign of life: the same content is written over itself, so that the age is by the file system's clock and not by this
   * machine's, and only into a lock that is ours: a process that was stopped for long must not keep alive the lock of the
   * one that took it over.
   */
  async beat(): Promise<void> {
    const file = await open(this.#path, 'r+');
    try {
      const held = await file.readFile('utf8');
      if (this.#holder !== undefined && held.includes(this.#holder.token)) await file.write(held, 0);
    } finally {
      await file.close();
    }
  }

  /** Errors: REDKEEP_AUDIT_SPOOL when another process took this one for gone. */
  async assertOurs(): Promise<void> {
    const held = await readFile(this.#path, 'utf8').catch(() => '');
    if (this.#holder === undefined || !held.includes(this.#holder.token))
      throw new GuardError('REDKEEP_AUDIT_SPOOL', 'another process has taken it over');
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    openHere.delete(this.#spool);
    const ours = await this.assertOurs().then(
      () => true,
      () => false,
    );
    this.#holder = undefined;
    if (ours) await rm(this.#path, { force: true });
  }

  async #take(): Promise<Holder> {
    const holder: Holder = {
      token: randomUUID(),
      pid: process.pid,
      started: await startOf(process.pid),
      where: await namespace(),
    };
    const own = `${this.#path}.${holder.token}`;
    await writeFile(own, JSON.stringify(holder), { mode: 0o600, flag: 'wx' });
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          // A link appears with its content, so nobody ever reads half a lock.
          await link(own, this.#path);
          return holder;
        } catch (cause) {
          if ((cause as NodeJS.ErrnoException).code !== 'EEXIST' || attempt === ATTEMPTS) throw cause;
        }
        await this.#clear(own, holder.where);
      }
    } finally {
      await rm(own, { force: true });
    }
  }

  /** Removes a lock whose holder is gone. Errors: REDKEEP_AUDIT_SPOOL when it is not. */
  async #clear(own: string, where: string): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch(() => undefined);
    if (text === undefined) return;
    const other = holderOf(text);
    if (other !== undefined && (await this.#isAlive(other, own, where)))
      throw new GuardError('REDKEEP_AUDIT_SPOOL', `in use by process ${other.pid}`);
    // Another process that found it stale may have taken it meanwhile: put that one back.
    const aside = `${own}.stale`;
    await rename(this.#path, aside).catch(() => undefined);
    const moved = await readFile(aside, 'utf8').catch(() => text);
    if (moved !== text) await link(aside, this.#path).catch(() => undefined);
    await rm(aside, { force: true });
  }

  async #isAlive(other: Holder, own: string, where: string): Promise<boolean> {
    if (other.where === where) {
      if (other.pid === process.pid || !isRunning(other.pid)) return false;
      return other.started === '' || (await startOf(other.pid)) === other.started;
    }
    // Both ages by the clock of the file system.
    const [held, now] = await Promise.all([stat(this.#path).catch(() => undefined), stat(own)]);
    return held !== undefined && now.mtimeMs - held.mtimeMs < SILENT_MS;
  }
}

/** Undefined for what no process wrote. */
function holderOf(text: string): Holder | undefined {
  // A bare number is what versions before this one wrote.
  if (/^\d+$/.test(text)) return { token: '', pid: Number(text), started: '', where: ownNamespace ?? '' };
  try {
    const holder = JSON.parse(text) as Holder;
    return Number.isInteger(holder.pid) && typeof holder.where === 'string' ? holder : undefined;
  } catch {
    return undefined;
  }
}

let ownNamespace: string | undefined;

/** Names the kernel that runs and the namespace of its processes; the host's name where there is no /proc. */
async function namespace(): Promise<string> {
  if (ownNamespace === undefined) {
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => hostname());
    const pids = await readlink('/proc/self/ns/pid').catch(() => '');
    ownNamespace = `${boot.trim()} ${pids}`;
  }
  return ownNamespace;
}

/** When a process began, in ticks since the kernel did; '' where that is not known. */
async function startOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name in parentheses may hold spaces; the start is the 20th field after it.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
