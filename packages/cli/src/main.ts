#!/usr/bin/env node
import { createContext } from './context.js';
import { run } from './program.js';

// Everything the toolkit writes, and every server it starts, is for this user alone.
process.umask(0o077);

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => interrupt.abort());
}

process.exit(await run(process.argv.slice(2), createContext(process, interrupt.signal)));
