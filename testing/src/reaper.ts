import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';

/**
 * Ends servers and removes their folders when the test process is gone, however it went: exit, Ctrl-C, a crash, or
 * SIGKILL, after which no hook of the process itself could run. A small shell of its own session reads from a pipe what
 * is alive; the system closes the pipe when this process dies, and the shell then cleans up. Being the only mechanism,
 * it is exercised by every test run.
 */
const SCRIPT = `
while read -r operation pid folder; do
  entry="$pid $folder"
  if [ "$operation" = add ]; then
    set -- "$@" "$entry"
  else
    for known do
      shift
      [ "$known" = "$entry" ] || set -- "$@" "$known"
    done
  fi
done
for entry do [ "\${entry%% *}" = 0 ] || kill -9 "\${entry%% *}" 2>/dev/null; done
for entry do rm -rf -- "\${entry#* }"; done
`;

let pipe: Socket | undefined;

function send(operation: 'add' | 'drop', pid: number, folder: string): void {
  if (!pipe) {
    const shell = spawn('/bin/sh', ['-c', SCRIPT, 'redkeep-test-reaper'], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    shell.unref();
    pipe = shell.stdin as Socket;
    pipe.on('error', () => {});
    pipe.unref();
  }
  pipe.write(`${operation} ${pid} ${folder}\n`);
}

/** From now on `pid` is killed and `folder` removed when this process ends. A pid of 0 stands for a folder alone. */
export function reapWhenGone(pid: number, folder: string): void {
  send('add', pid, folder);
}

/** The process has ended and its folder is gone, or is somebody else's concern now. */
export function reaped(pid: number, folder: string): void {
  send('drop', pid, folder);
}
