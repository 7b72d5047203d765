// What the scripts share: saying what is done, running a program in full view, and failing with an exit code.
import { spawn } from 'node:child_process';

/** The toolkit's exit codes that scripts use too. */
export const EXIT = { ok: 0, failed: 1, usage: 2, environment: 4, interrupted: 130 };

/** A step could not be done. The message is for the person at the terminal. */
export class StepFailed extends Error {
  constructor(message, exitCode = EXIT.failed) {
    super(message);
    this.exitCode = exitCode;
  }
}

const bold = process.stdout.isTTY && !process.env.NO_COLOR ? (text) => `\x1b[1m${text}\x1b[22m` : (text) => text;

export function say(text) {
  console.log(bold(`• ${text}`));
}

/** Runs a program with this terminal, and waits. `quiet` shows its output only when it fails. */
export function run(command, args, { cwd, env = {}, quiet = false, fix, exitCode } = {}) {
  return new Promise((resolve, reject) => {
    const output = [];
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['inherit', 'inherit', 'inherit'],
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (bytes) => output.push(bytes));
    const fail = (reason) => {
      if (output.length > 0) process.stderr.write(Buffer.concat(output));
      const next = fix ? `\n${fix}` : '';
      reject(new StepFailed(`${command} ${args.slice(0, 3).join(' ')}: ${reason}${next}`, exitCode));
    };
    child.on('error', (error) => fail(error.message));
    child.on('close', (code, signal) => {
      if (code === 0) resolve(Buffer.concat(output).toString());
      else if (signal === 'SIGINT' || code === EXIT.interrupted)
        reject(new StepFailed('Interrupted.', EXIT.interrupted));
      else if (exitCode === 'same') reject(new StepFailed('', code ?? EXIT.failed));
      else fail(signal ? `ended by ${signal}` : `exit code ${code}`);
    });
  });
}

/** Runs a script's main function and turns what it throws into a line and an exit code. */
export async function runMain(main) {
  // A Ctrl-C reaches the running program too; its end is what ends the step, so that it can put things in order.
  process.on('SIGINT', () => {
    process.exitCode = EXIT.interrupted;
  });
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? EXIT.ok;
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    if (error.message) console.error(error.message);
    process.exitCode = error.exitCode;
  }
}
