import { setTimeout as delay } from 'node:timers/promises';
import { connectApplication } from './connect-application.js';

export interface Written {
  readonly acknowledged: number;
  /** Writes that did not succeed within 30 s of trying. */
  readonly failed: number;
  /** Acknowledged writes that the deployment does not have at the end. */
  readonly lost: number;
  /** The longest time in which no write was acknowledged. */
  readonly longestGapMs: number;
}

type Connection = Awaited<ReturnType<typeof connectApplication>>;

const lanes = 4;
const perBucket = 1000;
const patienceMs = 30_000;

/**
 * A client with retries that writes numbers, each once under its own name: an acknowledged one that is not there at
 * the end was lost. Sending a number again after an unknown outcome changes nothing.
 */
export class Writer {
  readonly #client: Connection;
  readonly #lanes: Promise<void>[];
  readonly #acknowledged: number[] = [];
  readonly #run = process.hrtime.bigint().toString(36);
  #failed = 0;
  #longestGapMs = 0;
  #last = performance.now();
  #stopped = false;

  private constructor(client: Connection) {
    this.#client = client;
    this.#lanes = Array.from({ length: lanes }, (_, lane) => this.#write(lane));
  }

  /** Writes as `app` of the deployment in `folder` with what the folder says about how to connect. */
  static async start(folder: string): Promise<Writer> {
    return new Writer(await connectApplication(folder));
  }

  async #write(lane: number): Promise<void> {
    for (let number = lane; !this.#stopped; number += lanes) {
      const since = performance.now();
      while (!(await this.#try(number))) {
        if (performance.now() - since > patienceMs) {
          this.#failed += 1;
          break;
        }
        await delay(20);
      }
      await delay(1);
    }
  }

  async #try(number: number): Promise<boolean> {
    try {
      await this.#client.hSet(this.#bucket(number), String(number), '1');
    } catch {
      return false;
    }
    const now = performance.now();
    this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#last);
    this.#last = now;
    this.#acknowledged.push(number);
    return true;
  }

  #bucket(number: number): string {
    return `app:written:${this.#run}:${Math.floor(number / perBucket)}`;
  }

  get acknowledged(): number {
    return this.#acknowledged.length;
  }

  /** Which of the acknowledged writes are there now, while it goes on. */
  async lost(): Promise<number> {
    const numbers = [...this.#acknowledged];
    const buckets = new Map<string, Set<string>>();
    for (const number of numbers) {
      const bucket = this.#bucket(number);
      if (!buckets.has(bucket)) buckets.set(bucket, new Set(await this.#fields(bucket)));
    }
    return numbers.filter((number) => !buckets.get(this.#bucket(number))!.has(String(number))).length;
  }

  async #fields(bucket: string): Promise<string[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#client.hKeys(bucket);
      } catch (error) {
        if (attempt > 200) throw error;
        await delay(100);
      }
    }
  }

  async stop(): Promise<Written> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
    try {
      const lost = await this.lost();
      const longestGapMs = Math.round(this.#longestGapMs);
      return { acknowledged: this.#acknowledged.length, failed: this.#failed, lost, longestGapMs };
    } finally {
      this.#client.destroy();
    }
  }
}
