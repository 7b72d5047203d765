import { createHmac, randomUUID } from 'node:crypto';
import { createTransport } from 'nodemailer';
import type { ActiveAlert } from './active-alerts.js';
import { keyOf } from './active-alerts.js';
import { alertLine, type Notification, type Receiver, textOf, titleOf } from './notification.js';

/** A receiver has to answer within this time; the next round tries again. */
const answerMs = 10_000;

/** An incoming webhook of Slack, or of what takes the same form (Mattermost, Rocket.Chat). */
export function slack(url: string): Receiver {
  return {
    name: 'slack',
    send: (notification) => post(url, { text: escapeSlack(textOf(notification)) }),
  };
}

/** Slack reads `<…>` as links and mentions; only these three characters are escaped, as its manual says. */
function escapeSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** PagerDuty Events API v2: one incident an alert and node, resolved when it is over. */
export function pagerDuty(routingKey: string, url = 'https://events.pagerduty.com/v2/enqueue'): Receiver {
  return {
    name: 'pagerduty',
    async send({ firing, resolved }) {
      for (const alert of firing) {
        await post(url, {
          routing_key: routingKey,
          event_action: 'trigger',
          dedup_key: keyOf(alert.node, alert.rule),
          payload: {
            summary: alertLine(alert).slice(0, 1024),
            source: `${alert.node.host}:${alert.node.port}`,
            severity: alert.rule.severity,
            timestamp: new Date(alert.startedAt).toISOString(),
            component: alert.node.name,
            group: alert.node.deployment,
            class: alert.rule.alert,
          },
        });
      }
      for (const { node, rule } of resolved) {
        await post(url, { routing_key: routingKey, event_action: 'resolve', dedup_key: keyOf(node, rule) });
      }
    },
  };
}

/**
 * A webhook whose body is signed: `webhook-signature: v1,<base64 of HMAC-SHA256(key, id.timestamp.body)>`, the form of
 * the Standard Webhooks specification, so that libraries for it verify the message and refuse a replay.
 */
export function webhook(url: string, key: string): Receiver {
  return {
    name: 'webhook',
    send(notification) {
      const body = JSON.stringify(bodyOf(notification));
      const id = `msg_${randomUUID()}`;
      const timestamp = String(Math.floor(Date.now() / 1000));
      const signature = createHmac('sha256', webhookKey(key)).update(`${id}.${timestamp}.${body}`).digest('base64');
      const headers = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
      return postText(url, body, headers);
    },
  };
}

function webhookKey(key: string): Buffer {
  return key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : Buffer.from(key);
}

function bodyOf(notification: Notification): unknown {
  const plain = ({ rule, node, startedAt, detail, count }: ActiveAlert) => ({
    alert: rule.alert,
    severity: rule.severity,
    node: node.name,
    address: `${node.host}:${node.port}`,
    summary: rule.summary,
    nextStep: rule.nextStep,
    startedAt: new Date(startedAt).toISOString(),
    count,
    ...(detail !== undefined && { detail }),
  });
  return {
    type: 'redkeep.alerts',
    title: titleOf(notification),
    deployment: notification.deployment,
    at: new Date(notification.at).toISOString(),
    repeated: notification.repeated,
    firing: notification.firing.map(plain),
    resolved: notification.resolved.map(plain),
  };
}

/** Alertmanager's API v2. It groups and repeats itself, and ends an alert that is no longer sent at `endsAt`. */
export function alertmanager(url: string): Receiver {
  return {
    name: 'alertmanager',
    send({ firing, resolved, at }) {
      const alert = ({ rule, node, startedAt, detail }: ActiveAlert) => ({
        labels: {
          alertname: rule.alert,
          severity: rule.severity,
          deployment: node.deployment,
          node: node.name,
          instance: `${node.host}:${node.port}`,
        },
        annotations: {
          summary: `${node.name} ${rule.summary}`,
          next_step: rule.nextStep,
          ...(detail !== undefined && { detail }),
        },
        startsAt: new Date(startedAt).toISOString(),
      });
      return post(`${url.replace(/\/$/, '')}/api/v2/alerts`, [
        ...firing.map((one) => ({ ...alert(one), endsAt: new Date(at + 5 * 3_600_000).toISOString() })),
        ...resolved.map((one) => ({ ...alert(one), endsAt: new Date(at).toISOString() })),
      ]);
    },
  };
}

export interface MailOptions {
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte (port 465). Without, STARTTLS is demanded unless `insecurePlaintext`. */
  readonly tls: boolean;
  readonly insecurePlaintext: boolean;
  readonly username?: string;
  readonly password?: string;
  readonly ca?: string;
  readonly from: string;
  readonly to: readonly string[];
}

/** E-mail over SMTP, encrypted unless the option says otherwise by its name. */
export function email(options: MailOptions): Receiver {
  const { host, port, tls, insecurePlaintext, username, password, ca, from, to } = options;
  return {
    name: 'email',
    async send(notification) {
      const transport = createTransport({
        host,
        port,
        secure: tls,
        requireTLS: !tls && !insecurePlaintext,
        ignoreTLS: insecurePlaintext,
        connectionTimeout: answerMs,
        greetingTimeout: answerMs,
        socketTimeout: answerMs,
        ...(username !== undefined && password !== undefined && { auth: { user: username, pass: password } }),
        ...(ca !== undefined && { tls: { ca } }),
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({
          from,
          to: [...to],
          subject: titleOf(notification).replace(/[\r\n]/g, ' '),
          text: textOf(notification),
        });
      } finally {
        transport.close();
      }
    },
  };
}

function post(url: string, body: unknown): Promise<void> {
  return postText(url, JSON.stringify(body));
}

/** Follows no redirect, so that a receiver cannot send what it gets on to another address. */
async function postText(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
    redirect: 'error',
    signal: AbortSignal.timeout(answerMs),
  });
  await response.body?.cancel();
  // The address may hold a secret, so only its host is named.
  if (!response.ok) throw new Error(`${new URL(url).host} answered ${response.status}`);
}
