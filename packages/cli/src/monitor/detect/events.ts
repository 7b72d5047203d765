/** What a monitor can see happen. Each has a counter, an alert, a line in docs/monitoring.md. */
export const eventNames = [
  'password-guessing',
  'password-spray',
  'unauthenticated-probe',
  'permission-denied',
  'dangerous-command-denied',
  'configuration-changed',
  'users-changed',
  'modules-changed',
  'code-loaded',
  'data-destroyed',
  'debug-command',
  'monitor-session',
  'clients-paused',
  'topology-changed',
  'evidence-erased',
  'replication-id-changed',
  'data-copied',
  'exfiltration',
  'new-client-network',
  'certificate-changed',
  'restarted',
] as const;
export type EventName = (typeof eventNames)[number];

/** Something that happened on a server between two rounds. */
export interface MonitorEvent {
  readonly event: EventName;
  readonly count: number;
  /** What was seen, in words that hold no text of a client except its address. */
  readonly detail: string;
}

/** Conditions that hold or do not hold; 1 for holding, or a number that rules compare. */
export type States = Readonly<Record<string, number>>;
