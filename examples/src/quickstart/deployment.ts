import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from 'redkeep';

/** What an application needs to know of a deployment that `redkeep init` made: address, user, and trusted CA. */
export interface Access {
  readonly url: string;
  readonly username: string;
  readonly password: Secret;
  readonly caFile: string;
}

interface DeploymentFile {
  readonly deployment: {
    readonly nodes: readonly { readonly host: string; readonly port: number }[];
    readonly users: readonly { readonly name: string; readonly role: string; readonly passwordFile: string }[];
  };
}

/** Reads them from the deployment's folder. The password comes from its own file, never from a URL or an argument. */
export async function readAccess(folder: string): Promise<Access> {
  const file = await readFile(join(folder, 'redkeep.deployment.json'), 'utf8');
  const { deployment } = JSON.parse(file) as DeploymentFile;
  const node = deployment.nodes[0];
  const user = deployment.users.find(({ role }) => role === 'application');
  if (!node || !user) throw new Error(`${folder} describes no server, or no application user`);
  const password = await readFile(join(folder, user.passwordFile), 'utf8');
  return {
    url: `rediss://${node.host}:${node.port}`,
    username: user.name,
    password: new Secret(password.trim()),
    caFile: join(folder, 'pki/ca.crt'),
  };
}
