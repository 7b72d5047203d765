import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient } from 'redkeep';
import { type Deployment, dataNodes } from '../../deployment/model.js';
import { connectApplication } from '../../testing/connect-application.js';
import { openDeployment } from '../../testing/open-deployment.js';
import type { CliSandbox } from '../../testing/run-cli.js';

export interface ApplicationOptions {
  /** Callers that write all the time on one client, which reads its password from the file. */
  readonly callers: number;
  /** Milliseconds between two commands of a caller. */
  readonly pauseMs: number;
}

/**
 * An application under load while secrets change: callers of a client that stays connected, and one that connects anew all the time with
 * what the files say. A command that fails is a failure; nothing is tried again.
 */
export class Application {
  readonly failures: string[] = [];
  commands = 0;
  readonly #sandbox: CliSandbox;
  readonly #deployment: Deployment;
  readonly #stop = new AbortController();
  readonly #client: Awaited<ReturnType<typeof connectApplication>>;
  #load: Promise<void>[] = [];

  private constructor(
    sandbox: CliSandbox,
    deployment: Deployment,
    client: Awaited<ReturnType<typeof connectApplication>>,
  ) {
    this.#sandbox = sandbox;
    this.#deployment = deployment;
    this.#client = client;
  }

  static async start(sandbox: CliSandbox, { callers, pauseMs }: ApplicationOptions): Promise<Application> {
    const { deployment } = await openDeployment(sandbox);
    const application = new Application(sandbox, deployment, await connectApplication(sandbox.path('redkeep')));
    for (let index = 0; index < callers; index += 1)
      application.run(pauseMs, () => application.#client.set(`app:{${index}}`, String(application.commands)));
    application.run(20, () => application.#connectAnew());
    return application;
  }

  /** Does a piece of work again and again; where it fails, that is noted. */
  run(pauseMs: number, work: () => Promise<unknown>): void {
    const turns = async () => {
      while (!this.#stop.signal.aborted) {
        await work().catch((error: Error) => this.failures.push(`${error.name} ${error.message}`));
        this.commands += 1;
        if (pauseMs > 0) await delay(pauseMs);
      }
    };
    this.#load.push(turns());
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#load);
    this.#client.destroy();
  }

  async #connectAnew(): Promise<void> {
    const read = (file: string) => readFile(this.#sandbox.path('redkeep', file), 'utf8');
    const [ca, cert, key] = await Promise.all([
      read(this.#deployment.caFile),
      read('pki/clients/app.crt'),
      read('pki/clients/app.key'),
    ]);
    // Two files are replaced one after the other: what was read in between does not match, and is read again.
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
    const { host, port } = dataNodes(this.#deployment)[0]!;
    const client = createClient({
      socket: { host, port, reconnectStrategy: false },
      tls: { ca, cert, key },
      username: 'app',
      password: (await read('secrets/app.password')).trim(),
    });
    client.on('error', () => undefined);
    try {
      await client.connect();
      await client.ping();
    } finally {
      if (client.isOpen) client.destroy();
    }
  }
}
