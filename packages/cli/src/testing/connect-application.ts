import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createClient, createCluster, createSentinel, fromFile } from 'redkeep';
import { type Deployment, dataNodes, sentinelNodes } from '../deployment/model.js';

/** Connects as `app` of the deployment in `folder` with what the folder says, and reads the password again when it changes. */
export async function connectApplication(folder: string) {
  const file = (...parts: string[]) => path.join(folder, ...parts);
  const { deployment } = JSON.parse(await readFile(file('redkeep.deployment.json'), 'utf8')) as {
    deployment: Deployment;
  };
  const options = {
    tls: {
      caFile: file(deployment.caFile),
      certFile: file('pki/clients/app.crt'),
      keyFile: file('pki/clients/app.key'),
    },
    credentialsProvider: fromFile({ username: 'app', password: file('secrets/app.password') }),
  };
  const address = ({ host, port }: { readonly host: string; readonly port: number }) => ({ host, port });
  const nodes = dataNodes(deployment).map(address);
  const client =
    deployment.topology === 'sentinel'
      ? createSentinel({
          name: deployment.sentinel!.primaryName,
          sentinelRootNodes: sentinelNodes(deployment).map(address),
          nodeClientOptions: options,
          sentinelClientOptions: options,
          masterPoolSize: 4,
        })
      : deployment.topology === 'cluster'
        ? createCluster({ rootNodes: nodes.map((socket) => ({ socket })), defaults: options })
        : createClient({ socket: nodes[0]!, ...options });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
