import { runProgram } from '../../apply/targets/run-program.js';
import type { SecretReceiver } from '../secret-receivers.js';
import { attempt } from './attempt.js';

/**
 * A program of the operator's, called with a JSON object on its standard input: `{ "deployment", "user", "password",
 * "stage" }`. It is called with `pending` before any server knows the password and with `current` when all accept it,
 * and again after an interruption, so it has to take the same twice. Another exit code than 0 stops the rotation.
 */
export function commandReceiver(program: string, args: readonly string[], timeoutMs: number): SecretReceiver {
  return {
    name: 'command',
    async put({ loaded, user, password, stage }) {
      const handover = { deployment: loaded.deployment.name, user, password, stage };
      // No shell: nothing in a name can become a command. The password is in no argument and in no environment.
      const stdin = `${JSON.stringify(handover)}\n`;
      await attempt(
        program,
        timeoutMs,
        async (signal) => (await runProgram(program, args, { signal, stdin })).code === 0,
      );
    },
  };
}
