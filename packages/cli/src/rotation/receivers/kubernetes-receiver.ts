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
 * A Kubernetes Secret: `USER` has the password that servers accept, `USER.next` the one that is to come, while there is one. Each entry
 * has a field manager of its own (server-side apply), so that nothing else in the Secret is changed. What is secret goes through
 * standard input, which is a socket here: `/dev/stdin` cannot be opened, `-` is read.
 */
export function kubernetesReceiver(options: KubernetesReceiverOptions): SecretReceiver {
  const { namespace, secret, context, kubectl, timeoutMs } = options;
  const where = ['--namespace', namespace, ...(context === undefined ? [] : ['--context', context])];
  const metadata = { name: secret, namespace };
  return {
    name: 'kubernetes',
    async put({ user, password, stage }) {
      const next = `${user}.next`;
      const value = Buffer.from(password).toString('base64');
      await attempt(kubectl, timeoutMs, async (signal) => {
        const apply = async (entry: string, data: Readonly<Record<string, string>>) => {
          const manager = ['--server-side', '--force-conflicts', '--field-manager', `redkeep-${entry}`];
          const stdin = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', type: 'Opaque', metadata, data });
          const { code } = await runProgram(kubectl, [...where, 'apply', ...manager, '--filename', '-'], {
            signal,
            stdin,
          });
          return code === 0;
        };
        if (stage === 'pending') return apply(next, { [next]: value });
        // Applied without it, the entry that only this manager has goes.
        return (await apply(user, { [user]: value })) && (await apply(next, {}));
      });
    },
  };
}
