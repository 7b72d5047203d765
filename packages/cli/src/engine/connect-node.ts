import { createClient, type RedisClient } from 'redkeep';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import { certificateOf, type DeploymentNode, type User } from '../deployment/model.js';
import { CliError } from '../errors.js';
import { readIfPresent } from '../files/read-if-present.js';
import { reach } from './reach.js';

/** A server and who to be there. Paths are absolute. */
export interface ConnectTarget {
  readonly host: string;
  readonly port: number;
  readonly username: string;
  readonly password: string;
  readonly caFile: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

export type Connect = (target: ConnectTarget) => Promise<RedisClient>;

/**
 * Connects for one piece of work: verified TLS, no reconnecting, and the client's own command policy off, because an
 * operator's tool is what CONFIG and ACL commands are for. What may be done is the ACL user's matter.
 */
export async function connect(target: ConnectTarget): Promise<RedisClient> {
  const { host, port, username, password, caFile, certFile, keyFile } = target;
  const client = createClient({
    socket: { host, port, reconnectStrategy: false },
    tls: { caFile, ...(certFile && keyFile ? { certFile, keyFile } : {}) },
    username,
    password,
    commandPolicy: 'unrestricted',
  });
  // Every command in flight rejects with the reason; the event has nothing to add.
  client.on('error', () => undefined);
  try {
    return await client.connect();
  } catch (error) {
    // What cannot get better, an untrusted certificate for example, has ended the client already.
    if (client.isOpen) client.destroy();
    const { message, hint } = explain(error);
    throw new CliError('REDKEEP_CONNECTION_FAILED', `${host}:${port} as ${username}: ${message}`, hint, {
      cause: error,
    });
  }
}

function explain(error: unknown): { message: string; hint: string } {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof Error && 'hint' in error ? String(error.hint) : 'Check with "redkeep status".';
  return { message, hint };
}

/** The address and the user of a connection to a deployment's node. */
export async function targetOf(loaded: LoadedDeployment, node: DeploymentNode, user: User): Promise<ConnectTarget> {
  const certificate = certificateOf(loaded.deployment, user.certificate);
  return {
    ...(await reach(loaded, node)),
    username: user.name,
    password: (await readIfPresent(loaded.locate(user.passwordFile)))?.trimEnd() ?? '',
    caFile: loaded.locate(loaded.deployment.caFile),
    certFile: loaded.locate(certificate.certFile),
    keyFile: loaded.locate(certificate.keyFile),
  };
}

/** Connects to a node as a user, runs the work, and disconnects whatever happens. */
export async function withClient<T>(
  connectTo: Connect,
  loaded: LoadedDeployment,
  node: DeploymentNode,
  user: User,
  work: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const client = await connectTo(await targetOf(loaded, node, user));
  try {
    return await work(client);
  } finally {
    if (client.isOpen) client.destroy();
  }
}
