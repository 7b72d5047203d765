import { type ChildProcess, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Address } from '../../engine/reach.js';

const connectMilliseconds = 2000;
const openMilliseconds = 15_000;

/** True when a connection can be opened. */
export function connects({ host, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const done = (result: boolean) => {
      socket.destroy();
      resolve(result);
    };
    socket.setTimeout(connectMilliseconds, () => done(false));
    socket.once('error', () => done(false));
    socket.once('connect', () => done(true));
  });
}

const open = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of open) child.kill();
});

/** Starts a program that forwards a local port, waits until it listens, and ends it with this process. */
export async function keepTunnel(program: string, args: readonly string[], port: number): Promise<void> {
  const child = spawn(program, args, { stdio: 'ignore' });
  open.add(child);
  let ended = false;
  child.once('error', () => (ended = true));
  child.once('exit', () => {
    ended = true;
    open.delete(child);
  });
  child.unref();
  const giveUp = performance.now() + openMilliseconds;
  while (!(await connects({ host: '127.0.0.1', port }))) {
    if (ended || performance.now() > giveUp) throw new Error('the tunnel did not open');
    await delay(50);
  }
}
