/**
 * A connection's life as a table. Every change goes through {@link nextState}; one that is not listed is a bug in
 * this package and throws.
 *
 *     idle ─> connecting ─> handshaking ─> ready ─> closing ─> closed
 *                 │  ^           │           │                   ^
 *                 v  │           v           v                   │
 *               waiting <────────┴───────────┘     (any) ────────┘
 */
export type ConnectionState = 'idle' | 'connecting' | 'handshaking' | 'ready' | 'waiting' | 'closing' | 'closed';

const TRANSITIONS: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  idle: ['connecting', 'closed'],
  connecting: ['handshaking', 'waiting', 'closed'],
  handshaking: ['ready', 'waiting', 'closed'],
  ready: ['waiting', 'closing', 'closed'],
  waiting: ['connecting', 'closed'],
  closing: ['closed'],
  closed: ['connecting'],
};

export function nextState(from: ConnectionState, to: ConnectionState): ConnectionState {
  if (!TRANSITIONS[from].includes(to)) throw new Error(`Illegal connection transition ${from} -> ${to}`);
  return to;
}
