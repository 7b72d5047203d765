import type { ActiveAlert } from './active-alerts.js';

/** What a receiver is told at once: alerts of one deployment that began, still hold, or ended. */
export interface Notification {
  readonly deployment: string;
  readonly firing: readonly ActiveAlert[];
  readonly resolved: readonly ActiveAlert[];
  readonly at: number;
  /** True when nothing is new and the message repeats what still holds. */
  readonly repeated: boolean;
}

/** Sends notifications somewhere. Rejects when the other side did not take it; it is then tried again. */
export interface Receiver {
  readonly name: string;
  send(notification: Notification): Promise<void>;
}

/** One line for people. */
export function alertLine({ rule, node, detail, count }: ActiveAlert): string {
  const times = count > 1 ? ` (${count} times)` : '';
  return `${rule.severity}: ${node.name} (${node.host}:${node.port}) ${rule.summary}${detail ? `: ${detail}` : ''}${times}. ${rule.nextStep}`;
}

export function titleOf({ deployment, firing, resolved, repeated }: Notification): string {
  if (firing.length === 0) return `[resolved] ${deployment}: ${counted(resolved.length)} ended`;
  const critical = firing.some(({ rule }) => rule.severity === 'critical');
  return `[${critical ? 'critical' : 'warning'}] ${deployment}: ${counted(firing.length)}${repeated ? ', still' : ''}`;
}

function counted(count: number): string {
  return count === 1 ? '1 alert' : `${count} alerts`;
}

export function textOf(notification: Notification): string {
  const { firing, resolved } = notification;
  return [
    titleOf(notification),
    ...firing.map((alert) => `- ${alertLine(alert)}`),
    ...resolved.map(({ rule, node }) => `- ended: ${node.name} ${rule.summary}.`),
  ].join('\n');
}
