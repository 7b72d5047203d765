import type { Ask } from '../audit/gather/live.js';
import { type ClientFields, clientList } from '../engine/client-list.js';
import { ownNames } from './access.js';
import type { MigrationNode } from './migration.js';

/** A connection of an application, and what it still has to change. */
export interface ClientOnOldWay {
  readonly node: string;
  /** Without the port, which changes with each connection. */
  readonly address: string;
  readonly name: string;
  readonly library: string;
  readonly user: string;
  readonly plaintext: boolean;
  readonly connections: number;
  readonly lastCommand: string;
  readonly idleSeconds: number;
}

/** Replicas, replication links and this tool are not clients that somebody has to change. */
function isApplication(fields: ClientFields): boolean {
  return !/[SM]/.test(fields['flags'] ?? '') && !ownNames.includes(fields['name'] ?? '');
}

/**
 * Connections that still use plaintext or the default user, one row for each host, name and way. The local address of a
 * connection (`laddr`, Redis 6.2) shows over which port it came.
 */
export async function clientsOnOldWay(ask: Ask, node: MigrationNode): Promise<ClientOnOldWay[]> {
  const rows = new Map<string, ClientOnOldWay>();
  for (const fields of clientList(await ask('CLIENT', 'LIST'))) {
    const plaintext = fields['laddr']?.endsWith(`:${node.port}`) ?? true;
    const user = fields['user'] ?? 'default';
    if (!isApplication(fields) || (!plaintext && user !== 'default')) continue;
    const address = (fields['addr'] ?? '').replace(/:\d+$/, '');
    const name = fields['name'] ?? '';
    const key = JSON.stringify([address, name, user, plaintext]);
    const before = rows.get(key);
    rows.set(key, {
      node: `${node.host}:${node.port}`,
      address,
      name,
      library: [fields['lib-name'], fields['lib-ver']].filter(Boolean).join(' '),
      user,
      plaintext,
      connections: (before?.connections ?? 0) + 1,
      lastCommand: fields['cmd'] ?? '',
      idleSeconds: Math.min(before?.idleSeconds ?? Number.POSITIVE_INFINITY, Number(fields['idle'] ?? 0)),
    });
  }
  return [...rows.values()];
}
