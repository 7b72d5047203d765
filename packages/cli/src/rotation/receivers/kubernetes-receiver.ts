import { runProgram } from '../../apply/targets/run-program.js';
import type { SecretReceiver } from '../secret-receivers.js';
import { attempt } from './attempt.js';

export interface KubernetesReceiverOptions {
  readonly namespace: string;
  /** The Secret with one entry a user. */
  readonly secret: string;
  readonly context?: string | undefined;
  readonly kubectl: string;
  readonly timeoutMs: number;
}

/**
 * A Kubernetes Secret: `USER` has the password that servers accept, `USER.next` the one that is to come, while there is one. Only
 * these entries are changed. What is secret goes through standard input.
 */
export function kubernetesReceiver(options: KubernetesReceiverOptions): SecretReceiver {
  const { namespace, secret, context, kubectl, timeoutMs } = options;
  const where = ['--namespace', namespace, ...(context === undefined ? [] : ['--context', context])];
  return {
    name: 'kubernetes',
    async put({ user, password, stage }) {
      const value = Buffer.from(password).toString('base64');
      const data = stage === 'pending' ? { [`${user}.next`]: value } : { [user]: value, [`${user}.next`]: null };
      await attempt(kubectl, timeoutMs, async (signal) => {
        const run = (args: readonly string[], stdin?: unknown) =>
          runProgram(kubectl, [...where, ...args], {
            signal,
            ...(stdin === undefined ? {} : { stdin: JSON.stringify(stdin) }),
          });
        const found = await run(['get', 'secret', secret, '--ignore-not-found', '--output', 'name']);
        if (found.code !== 0) return false;
        if (found.stdout.trim() === '') {
          const metadata = { name: secret, namespace };
          const present = Object.fromEntries(Object.entries(data).filter(([, text]) => text !== null));
          const object = { apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data: present };
          return (await run(['create', '--filename', '-'], object)).code === 0;
        }
        const patch = ['patch', 'secret', secret, '--type', 'merge', '--patch-file', '/dev/stdin'];
        return (await run(patch, { data })).code === 0;
      });
    },
  };
}
