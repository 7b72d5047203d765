/** The server's own benchmark, in C, at the depths that our cases have: how much of it a JavaScript client reaches. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const PROGRAMS = ['redis-benchmark', 'valkey-benchmark'];
const DEPTHS = [50, 1000];

/** Commands a second by case name; undefined where the program is not installed. */
export async function redisBenchmark(port: number): Promise<ReadonlyMap<string, number> | undefined> {
  for (const program of PROGRAMS) {
    try {
      return await measure(program, port);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return undefined;
}

async function measure(program: string, port: number): Promise<ReadonlyMap<string, number>> {
  const rates = new Map<string, number>();
  for (const depth of DEPTHS) {
    const args = ['-p', port, '-c', 1, '-P', depth, '-n', 1_000_000, '-d', 32, '-t', 'get,set', '--csv'].map(String);
    const { stdout } = await promisify(execFile)(program, args);
    for (const line of stdout.split('\n')) {
      const [name, rate] = line.split(',').map((cell) => cell.replaceAll('"', ''));
      if (name === 'GET' || name === 'SET') rates.set(`${name}, ${depth} callers`, Number(rate));
    }
  }
  return rates;
}
