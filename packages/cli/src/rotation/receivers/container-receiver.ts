import { createHash } from 'node:crypto';
import { runProgram } from '../../apply/targets/run-program.js';
import type { SecretReceiver } from '../secret-receivers.js';
import { attempt } from './attempt.js';

/**
 * Secrets of Docker or Podman, which cannot be changed: each password gets a secret of its own, `PREFIX-USER-` and eight digits
 * that follow from it. It is there before any server knows the password, so that containers can be given it in time.
 */
export function containerReceiver(program: string, prefix: string, timeoutMs: number): SecretReceiver {
  return {
    name: 'containers',
    async put({ user, password }) {
      const name = `${prefix}-${user}-${createHash('sha256').update(password).digest('hex').slice(0, 8)}`;
      await attempt(program, timeoutMs, async (signal) => {
        const found = await runProgram(program, ['secret', 'inspect', name], { signal });
        if (found.code === 0) return true;
        const create = [program, 'secret', 'create', name, '-'];
        // Podman takes a secret from a pipe only, and Node gives its children sockets.
        const made = await runProgram('sh', ['-c', 'cat | "$0" "$@"', ...create], { signal, stdin: password });
        return made.code === 0;
      });
    },
  };
}
