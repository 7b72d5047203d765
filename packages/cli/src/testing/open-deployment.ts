import { readFile } from 'node:fs/promises';
import { createClient, type RedisClient } from 'redkeep';
import type { Deployment, DeploymentNode } from '../deployment/model.js';
import type { CliSandbox } from './run-cli.js';

/** What a test needs of a deployment in a sandbox's folder. */
export async function openDeployment(
  sandbox: CliSandbox,
  folder = 'redkeep',
): Promise<{
  readonly deployment: Deployment;
  /** Connects to a node as a user, with its certificate. */
  connect(user: string, node?: DeploymentNode): Promise<RedisClient>;
}> {
  const read = (file: string) => readFile(sandbox.path(folder, file), 'utf8');
  const { deployment } = JSON.parse(await read('redkeep.deployment.json')) as { deployment: Deployment };
  return {
    deployment,
    async connect(user, node = deployment.nodes[0]!) {
      const client = createClient({
        socket: { host: node.host, port: node.port, reconnectStrategy: false },
        tls: {
          caFile: sandbox.path(folder, deployment.caFile),
          certFile: sandbox.path(`${folder}/pki/clients/${user}.crt`),
          keyFile: sandbox.path(`${folder}/pki/clients/${user}.key`),
        },
        username: user,
        password: await read(`secrets/${user}.password`),
        commandPolicy: 'unrestricted',
      });
      client.on('error', () => undefined);
      return client.connect();
    },
  };
}
