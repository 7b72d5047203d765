import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CliError } from '../../errors.js';
import type { SecretReceiver } from '../secret-receivers.js';

/** A hook that takes longer is ended, and the rotation stops before anything is removed. */
const runMs = 120_000;

/**
 * A program of the operator's, called with a JSON object on its standard input: `{ "deployment", "user", "password",
 * "stage" }`. It is called with `pending` before any server knows the password and with `current` when all accept it,
 * and again after an interruption, so it has to take the same twice. Another exit code than 0 stops the rotation.
 */
export function commandReceiver(program: string, args: readonly string[]): SecretReceiver {
  return {
    name: 'command',
    async put({ loaded, user, password, stage }) {
      // No shell: nothing in a name can become a command. The password is in no argument and in no environment.
      const child = spawn(program, [...args], { stdio: ['pipe', 'ignore', 'ignore'], timeout: runMs });
      const ended = once(child, 'exit').catch((error: unknown) => Promise.reject(failed(program, error)));
      child.stdin.on('error', () => undefined);
      child.stdin.end(`${JSON.stringify({ deployment: loaded.deployment.name, user, password, stage })}\n`);
      const [code] = (await ended) as [number | null];
      if (code !== 0) throw failed(program);
    },
  };
}

function failed(program: string, cause?: unknown): CliError {
  return new CliError(
    'REDKEEP_DELIVERY_FAILED',
    `The command ${program} did not take the new password.`,
    'Find out why, then run the rotation again: it goes on; old passwords are still accepted.',
    { cause },
  );
}
