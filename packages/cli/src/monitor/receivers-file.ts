import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Context } from '../context.js';
import { CliError, explainSystemError } from '../errors.js';
import type { Receiver } from './alerts/notification.js';
import type { NotifierOptions } from './alerts/notifier.js';
import { alertmanager, email, pagerDuty, slack, webhook } from './alerts/receivers.js';

const seconds = z.number().int().min(0).max(604_800);

/** Who is told of alerts. Secrets are named by files; `deployments/…` of docs/monitoring.md shows an example. */
export const receiversSchema = z.strictObject({
  slack: z.strictObject({ urlFile: z.string() }).optional(),
  pagerduty: z.strictObject({ routingKeyFile: z.string(), url: z.url().optional() }).optional(),
  webhook: z.strictObject({ url: z.url(), keyFile: z.string() }).optional(),
  alertmanager: z.strictObject({ url: z.url() }).optional(),
  email: z
    .strictObject({
      host: z.string(),
      port: z.number().int().min(1).max(65_535).default(587),
      tls: z.boolean().default(false),
      insecurePlaintext: z.boolean().default(false),
      username: z.string().optional(),
      passwordFile: z.string().optional(),
      caFile: z.string().optional(),
      from: z.string(),
      to: z.array(z.string()).min(1),
    })
    .optional(),
  groupWaitSeconds: seconds.optional(),
  groupIntervalSeconds: seconds.optional(),
  repeatSeconds: seconds.optional(),
});

export interface ReceiverSettings {
  readonly receivers: readonly Receiver[];
  readonly options: NotifierOptions;
}

/** Reads the receivers of a YAML or JSON file, and the secrets that it names. */
export async function readReceivers(context: Context, file: string): Promise<ReceiverSettings> {
  const resolved = path.resolve(context.cwd, file);
  const secret = async (name: string) => (await readGiven(path.resolve(path.dirname(resolved), name))).trim();
  const parsed = receiversSchema.safeParse(parseText(await readGiven(resolved)));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CliError(
      'REDKEEP_USAGE',
      `${resolved} is not a file of receivers: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}.`,
      'docs/monitoring.md shows one.',
    );
  }
  const { data } = parsed;
  const receivers: Receiver[] = [];
  if (data.slack) receivers.push(slack(await secret(data.slack.urlFile)));
  if (data.pagerduty) receivers.push(pagerDuty(await secret(data.pagerduty.routingKeyFile), data.pagerduty.url));
  if (data.webhook) receivers.push(webhook(data.webhook.url, await secret(data.webhook.keyFile)));
  if (data.alertmanager) receivers.push(alertmanager(data.alertmanager.url));
  if (data.email) {
    const { passwordFile, caFile, username, ...rest } = data.email;
    receivers.push(
      email({
        ...rest,
        ...(username !== undefined && { username }),
        ...(passwordFile !== undefined && { password: await secret(passwordFile) }),
        ...(caFile !== undefined && { ca: await secret(caFile) }),
      }),
    );
  }
  const ms = (value: number | undefined) => value !== undefined && value * 1000;
  const [groupWaitMs, groupIntervalMs, repeatMs] = [
    ms(data.groupWaitSeconds),
    ms(data.groupIntervalSeconds),
    ms(data.repeatSeconds),
  ];
  return {
    receivers,
    options: {
      ...(groupWaitMs !== false && { groupWaitMs }),
      ...(groupIntervalMs !== false && { groupIntervalMs }),
      ...(repeatMs !== false && { repeatMs }),
    },
  };
}

function parseText(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

async function readGiven(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
      throw new CliError('REDKEEP_USAGE', `${file} does not exist.`, 'Check the path.');
    throw explainSystemError(error, file);
  }
}
