#!/usr/bin/env node
import { createContext } from './context.js';
import { ExitCode } from './exit-codes.js';
import { run } from './program.js';

// Everything the toolkit writes, and every server it starts, is for this user alone.
process.umask(0o077);

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupt.abort());
}

// A reader that closes the pipe (head, less) is not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(ExitCode.Ok);
});

const code = await run(process.argv.slice(2), createContext(process, interrupt.signal));
// A pipe takes 64 KiB at a time: exiting at once would cut a report short.
for (const stream of [process.stdout, process.stderr]) await new Promise((done) => stream.write('', done));
process.exit(code);
