import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { DeploymentNode } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { stopIfInterrupted } from '../interruption.js';
import { endpointOf } from './local-servers.js';
import { probeTls } from './probe-tls.js';

const pollMilliseconds = 200;
const readyMilliseconds = 60_000;
const probeMilliseconds = 3000;

/** Returns when a node that something else started answers a verified TLS handshake. */
export async function waitForHandshake(
  { signal }: Context,
  loaded: LoadedDeployment,
  node: DeploymentNode,
): Promise<void> {
  const giveUp = performance.now() + readyMilliseconds;
  for (;;) {
    stopIfInterrupted(signal);
    try {
      await probeTls(await endpointOf(loaded, node), probeMilliseconds);
      return;
    } catch (error) {
      if (performance.now() > giveUp) {
        throw new CliError(
          'REDKEEP_SERVER_FAILED',
          `${node.name} does not answer after ${readyMilliseconds / 1000} s: ${error instanceof Error ? error.message : error}`,
          `Its log says why: redkeep logs ${node.name}.`,
          { cause: error },
        );
      }
    }
    await delay(pollMilliseconds);
  }
}
