import { readFile } from 'node:fs/promises';
import { createSentinel } from 'redkeep';
import type { Deployment } from '../deployment/model.js';
import { sentinelNodes } from '../deployment/model.js';
import type { CliSandbox } from './run-cli.js';

/** A client with retries that counts upwards in `app:counter` and knows which writes were acknowledged. */
export class Writer {
  #acknowledged = 0;
  #failed = 0;
  #stopped = false;
  readonly #done: Promise<void>;

  private constructor(write: () => Promise<void>, close: () => void) {
    this.#done = this.#run(write).finally(close);
  }

  static async start(sandbox: CliSandbox, deployment: Deployment): Promise<Writer> {
    const file = (name: string) => sandbox.path('redkeep', name);
    const tls = {
      caFile: file(deployment.caFile),
      certFile: file('pki/clients/app.crt'),
      keyFile: file('pki/clients/app.key'),
    };
    const login = { username: 'app', password: await readFile(file('secrets/app.password'), 'utf8') };
    const client = createSentinel({
      name: deployment.sentinel!.primaryName,
      sentinelRootNodes: sentinelNodes(deployment).map(({ host, port }) => ({ host, port })),
      nodeClientOptions: { tls, ...login },
      sentinelClientOptions: { tls, ...login },
    });
    client.on('error', () => undefined);
    await client.connect();
    let next = 1;
    const write = async () => {
      await client.set('app:counter', String(next));
      next += 1;
    };
    return new Writer(write, () => client.destroy());
  }

  /** A write whose outcome is unknown or that was refused is sent again: it sets the same number. */
  async #run(write: () => Promise<void>): Promise<void> {
    let since = performance.now();
    while (!this.#stopped) {
      try {
        await write();
        this.#acknowledged += 1;
        since = performance.now();
      } catch {
        if (performance.now() - since > 30_000) {
          this.#failed += 1;
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async stop(): Promise<{ readonly acknowledged: number; readonly failed: number }> {
    this.#stopped = true;
    await this.#done;
    return { acknowledged: this.#acknowledged, failed: this.#failed };
  }
}
