import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Context } from '../context.js';
import { CliError } from '../errors.js';
import { awsReceiver } from './receivers/aws-receiver.js';
import { commandReceiver } from './receivers/command-receiver.js';
import { containerReceiver } from './receivers/container-receiver.js';
import { fileReceiver } from './receivers/file-receiver.js';
import { kubernetesReceiver } from './receivers/kubernetes-receiver.js';
import { vaultReceiver } from './receivers/vault-receiver.js';
import type { SecretReceiver } from './secret-receivers.js';

/** In the deployment's folder, where no other is given: what runs on a schedule hands passwords out, too. */
export const secretsFileName = 'secrets.yaml';

/** A program that takes longer is ended, and the rotation stops before anything is removed. */
const timeoutSeconds = z.number().int().min(1).max(3600).default(120);
const word = z.string().regex(/^[\w.][\w.-]{0,252}$/);

/** Where new passwords are put. Tokens are named by files; docs/rotation.md shows an example. */
export const secretsSchema = z.strictObject({
  files: z.strictObject({ folder: z.string() }).optional(),
  command: z.strictObject({ program: z.string(), args: z.array(z.string()).default([]), timeoutSeconds }).optional(),
  containers: z.strictObject({ program: z.string().default('docker'), prefix: word, timeoutSeconds }).optional(),
  kubernetes: z
    .strictObject({
      namespace: word,
      secret: word,
      context: z.string().min(1).optional(),
      kubectl: z.string().default('kubectl'),
      timeoutSeconds,
    })
    .optional(),
  vault: z
    .strictObject({ address: z.url(), tokenFile: z.string(), mount: z.string().default('secret'), prefix: z.string() })
    .optional(),
  aws: z.strictObject({ prefix: z.string().min(1), region: z.string().optional() }).optional(),
});

/** Reads the receivers of new passwords; paths are relative to the file. */
export async function readSecretReceivers(context: Context, file: string): Promise<SecretReceiver[]> {
  const resolved = path.resolve(context.cwd, file);
  const at = (name: string) => path.resolve(path.dirname(resolved), name);
  const text = await readFile(resolved, 'utf8').catch((error: unknown) => {
    throw new CliError('REDKEEP_USAGE', `${resolved} cannot be read.`, 'Check the path and its permissions.', {
      cause: error,
    });
  });
  const parsed = secretsSchema.safeParse(parseText(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new CliError(
      'REDKEEP_USAGE',
      `${resolved} does not say where secrets go: ${issue!.path.join('.') || 'the whole'}: ${issue!.message}.`,
      'docs/rotation.md shows such a file.',
    );
  }
  const { files, command, containers, kubernetes, vault, aws } = parsed.data;
  return [
    ...(files ? [fileReceiver(at(files.folder))] : []),
    ...(command ? [commandReceiver(command.program, command.args, command.timeoutSeconds * 1000)] : []),
    ...(containers ? [containerReceiver(containers.program, containers.prefix, containers.timeoutSeconds * 1000)] : []),
    ...(kubernetes ? [kubernetesReceiver({ ...kubernetes, timeoutMs: kubernetes.timeoutSeconds * 1000 })] : []),
    ...(vault ? [vaultReceiver({ ...vault, tokenFile: at(vault.tokenFile) })] : []),
    ...(aws ? [awsReceiver(aws)] : []),
  ];
}

function parseText(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}
