import { isLoopback } from 'redkeep';
import { maybe } from '../facts/fact.js';
import type { ClientFacts, NodeFacts } from '../facts/facts.js';
import type { Change } from './change.js';

function hostOf({ address }: ClientFacts): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Which connected clients each change would cut off or refuse, by what it does. */
export function clientsCutOff(change: Change, node: NodeFacts): readonly ClientFacts[] {
  const clients = (maybe(node.clients) ?? []).filter(({ name }) => name !== 'redkeep-audit');
  if (change.kind === 'chmod') return [];
  if (change.kind === 'acl') {
    const own = clients.filter(({ user }) => user === change.user);
    const loses = change.rules.filter((rule) => rule.startsWith('-')).map((rule) => rule.slice(1));
    const isOff = change.rules.some((rule) => ['off', 'resetpass', '-@all', 'reset'].includes(rule));
    const losesKeys = change.rules.includes('resetkeys');
    const table = maybe(node.commands) ?? {};
    // Nobody knows all that a client will send; what it sent last is what the server remembers.
    return own.filter(
      ({ lastCommand }) =>
        isOff ||
        (losesKeys && table[lastCommand]?.keys.length !== 0) ||
        loses.some(
          (rule) =>
            rule === lastCommand ||
            lastCommand.startsWith(`${rule}|`) ||
            table[lastCommand]?.categories.includes(rule) === true,
        ),
    );
  }
  switch (change.name) {
    case 'protected-mode': {
      // It refuses other hosts while the default user needs no password.
      const open = maybe(node.users)?.some((user) => user.name === 'default' && user.enabled && user.noPassword);
      const guards = change.value === 'yes' && open !== false;
      return guards ? clients.filter((client) => !isLoopback(hostOf(client)) && !client.address.startsWith('/')) : [];
    }
    case 'timeout': {
      const seconds = Number(change.value);
      return seconds > 0 ? clients.filter(({ type, idleSeconds }) => type === 'normal' && idleSeconds >= seconds) : [];
    }
    default:
      return [];
  }
}

/**
 * Who is connected now and would be shut out by a change, in words for the operator; undefined: nobody. A server whose
 * clients could not be listed is treated as one with clients, where the change can shut anybody out.
 */
export function cutsOff(change: Change, node: NodeFacts): string | undefined {
  if (!node.clients.observed)
    return change.kind === 'config' && change.name === 'protected-mode'
      ? `clients of other hosts, if there are any (CLIENT LIST could not be read)`
      : undefined;
  const clients = clientsCutOff(change, node);
  if (clients.length === 0) return undefined;
  const shown = clients
    .slice(0, 5)
    .map((client) => `${client.user}@${client.address}${client.name ? ` (${client.name})` : ''}`);
  const more = clients.length > shown.length ? ` and ${clients.length - shown.length} more` : '';
  return `${clients.length === 1 ? '1 connected client' : `${clients.length} connected clients`}: ${shown.join(', ')}${more}`;
}
