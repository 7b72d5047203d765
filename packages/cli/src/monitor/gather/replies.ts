import { record } from '../../audit/gather/live.js';
import { clientFields, clientList } from '../../engine/client-list.js';
import type { AclLogEntry, ConnectedClient, LatencyEvent, LoadedModule } from '../snapshot.js';

/** Entries of ACL LOG, newest first. */
export function readAclLog(reply: unknown): AclLogEntry[] {
  return listOf(reply).map((entry) => {
    const fields = record(entry);
    return {
      id: fields['entry-id'],
      count: Number(fields['count'] ?? 1),
      reason: fields['reason'] ?? '',
      context: fields['context'] ?? '',
      object: (fields['object'] ?? '').toLowerCase(),
      username: fields['username'] ?? '',
      address: hostOf(clientFields(fields['client-info'] ?? '')['addr'] ?? ''),
      ageSeconds: Number(fields['age-seconds'] ?? 0),
    };
  });
}

export function readClients(reply: unknown): ConnectedClient[] {
  return clientList(reply).map((fields) => {
    return {
      id: fields['id'] ?? '',
      user: fields['user'] ?? 'default',
      address: hostOf(fields['addr'] ?? ''),
      localPort: Number(fields['laddr']?.match(/:(\d+)$/)?.[1] ?? 0),
      ageSeconds: Number(fields['age'] ?? 0),
      type: typeOf(fields['flags'] ?? ''),
    };
  });
}

/** Flags of CLIENT LIST: M for the primary this server copies, S for a replica, O for a client in MONITOR. */
function typeOf(flags: string): ConnectedClient['type'] {
  if (flags.includes('O')) return 'monitor';
  if (flags.includes('M')) return 'primary';
  if (flags.includes('S')) return 'replica';
  return flags.includes('P') ? 'pubsub' : 'normal';
}

export function readModules(reply: unknown): LoadedModule[] {
  return listOf(reply).map((entry) => {
    const { name = '', ver = '', path = '' } = record(entry);
    return { name, version: ver, path };
  });
}

export function readLatency(reply: unknown): LatencyEvent[] {
  return listOf(reply).map((entry) => {
    const [name, last, duration] = listOf(entry);
    return { name: String(name), lastSeconds: Number(last), durationMs: Number(duration) };
  });
}

function listOf(reply: unknown): unknown[] {
  return Array.isArray(reply) ? reply : [];
}

/** `10.0.0.1:5000` and `[::1]:5000` without the port; a Unix socket has no host. */
function hostOf(address: string): string {
  if (address.startsWith('/') || /:0$/.test(address)) return '';
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
