/**
 * Attributes by the OpenTelemetry semantic conventions for database clients and for Redis. What they call
 * `db.query.text` is left out: it would hold arguments.
 */
import type { CommandMessage, ServerInfo } from '../diagnostics.js';
import type { Attributes } from './api.js';

const SYSTEM = { 'db.system.name': 'redis' } as const;

export function serverAttributes({ address, port }: ServerInfo): Attributes {
  return { ...SYSTEM, 'server.address': address, ...(port === undefined ? {} : { 'server.port': port }) };
}

/** The conventions see in every client a pool, if only of one connection. */
export function poolAttributes({ server }: ServerInfo): Attributes {
  return { ...SYSTEM, 'db.client.connection.pool.name': server };
}

export function commandAttributes(message: CommandMessage): Attributes {
  const { command, database, errorCode, replyError } = message;
  return {
    ...serverAttributes(message),
    'db.operation.name': command,
    'db.namespace': String(database),
    ...(errorCode === undefined ? {} : { 'error.type': replyError ?? errorCode }),
    ...(replyError === undefined ? {} : { 'db.response.status_code': replyError }),
  };
}

/** What a span has besides; as a metric's attributes these would be too many. */
export function spanAttributes(message: CommandMessage): Attributes {
  const { batchSize, script } = message;
  return {
    ...commandAttributes(message),
    // One command is not a batch.
    ...(batchSize === undefined || batchSize < 2 ? {} : { 'db.operation.batch.size': batchSize }),
    ...(script === undefined ? {} : { 'db.stored_procedure.name': script }),
  };
}
