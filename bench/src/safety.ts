/**
 * What safety costs: the same client as shipped, with all that options can switch off switched off, and with all that
 * they can switch on. Each in a process of its own, in turns, against one server. Writes bench/SAFETY.md.
 *
 *   npm run bench:safety [-- --rounds 9 --ms 500]
 */
import { type ChildProcess, fork } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from '@redkeep/testing';
import { type ClientOptions, commandChannel, connectionChannel, createClient, protectionChannel } from 'redkeep';
import { median } from './report.js';

const SETTINGS: Readonly<Record<string, { readonly says: string; readonly options: ClientOptions }>> = {
  off: {
    says: 'no command policy, deadlines, silence detection, reply limits or queue bounds',
    options: {
      commandPolicy: 'unrestricted',
      commandOptions: { timeout: 0 },
      socket: { socketTimeout: 0 },
      commandsQueueMaxLength: Number.POSITIVE_INFINITY,
      maxQueueBytes: Number.POSITIVE_INFINITY,
      replyLimits: {
        maxBulkBytes: Number.POSITIVE_INFINITY,
        maxElements: Number.POSITIVE_INFINITY,
        maxDepth: Number.POSITIVE_INFINITY,
        maxLineBytes: Number.POSITIVE_INFINITY,
        maxBigNumberDigits: Number.POSITIVE_INFINITY,
        maxReplyBytes: Number.POSITIVE_INFINITY,
      },
    },
  },
  shipped: { says: 'as it comes', options: {} },
  'all on': {
    says: 'deny list, validator, rate limit and circuit breaker as well',
    options: {
      denyCommands: ['GETDEL'],
      validateCommand: ({ keys }) => {
        for (const key of keys) if (!String(key).startsWith('bench:')) throw new RangeError('a key of somebody else');
      },
      rateLimit: { rate: 1e9 },
      circuitBreaker: {},
    },
  },
  observed: { says: 'as it comes, with a subscriber on every diagnostics channel', options: {} },
};

interface Case {
  readonly name: string;
  readonly callers: number;
  readonly command: 'get' | 'set';
}
const CASES: readonly Case[] = [
  { name: 'GET, 1 caller', callers: 1, command: 'get' },
  { name: 'GET, 50 callers', callers: 50, command: 'get' },
  { name: 'GET, 1000 callers', callers: 1000, command: 'get' },
  { name: 'SET, 50 callers', callers: 50, command: 'set' },
  { name: 'SET, 1000 callers', callers: 1000, command: 'set' },
];
/** Per cent that the defaults may cost. */
const GOAL = 10;

interface Order {
  readonly at: number;
  readonly ms: number;
}

async function work(setting: string, url: string): Promise<void> {
  if (setting === 'observed')
    for (const channel of [commandChannel, connectionChannel, protectionChannel]) channel.subscribe(() => {});
  const client = await createClient({ ...SETTINGS[setting]!.options, url }).connect();
  const value = 'y'.repeat(32);
  const once = { get: () => client.get('bench:value'), set: () => client.set('bench:set', value) };
  /** Microseconds of this process's CPU a command: what a client costs, whatever else the machine does. */
  const measure = async ({ callers, command }: Case, ms: number) => {
    let commands = 0;
    const start = performance.now();
    const before = process.cpuUsage();
    const caller = async () => {
      while (performance.now() - start < ms) {
        for (let i = 0; i < 8; i++) await once[command]();
        commands += 8;
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / commands;
  };
  process.on('message', async ({ at, ms }: Order) => {
    await measure(CASES[at]!, ms / 3);
    process.send!(await measure(CASES[at]!, ms));
  });
  process.on('disconnect', () => process.exit(0));
  process.send!('ready');
}

const answer = (worker: ChildProcess) =>
  new Promise<number>((resolve) => worker.once('message', (cpu) => resolve(cpu as number)));

async function compare(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '9' }, ms: { type: 'string', default: '500' } },
  });
  await using server = await startServer();
  await server.command('SET', 'bench:value', 'x'.repeat(32));
  const workers = new Map<string, ChildProcess>();
  for (const name of Object.keys(SETTINGS)) {
    const worker = fork(fileURLToPath(import.meta.url), [name, server.url], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await answer(worker);
    workers.set(name, worker);
  }
  const others = Object.keys(SETTINGS).filter((name) => name !== 'off');
  const rows: string[] = [];
  const shipped: number[] = [];
  for (const [at, { name }] of CASES.entries()) {
    const spent = new Map<string, number[]>([...workers.keys()].map((setting) => [setting, []]));
    for (let round = 0; round < Number(values.rounds); round++) {
      // Who goes first changes: what the machine does meanwhile then hits all alike.
      const order = [...workers].map((_, i, all) => all[(i + round) % all.length]!);
      for (const [setting, worker] of order) {
        worker.send({ at, ms: Number(values.ms) } satisfies Order);
        spent.get(setting)!.push(await answer(worker));
      }
    }
    const costs = others.map((setting) => {
      const costs = spent.get(setting)!.map((cpu, round) => (cpu / spent.get('off')![round]! - 1) * 100);
      if (setting === 'shipped') shipped.push(median(costs));
      return `${median(costs).toFixed(1)} (${Math.min(...costs).toFixed(0)} to ${Math.max(...costs).toFixed(0)})`;
    });
    rows.push(`| ${name} | ${costs.join(' | ')} | ${median(spent.get('off')!).toFixed(2)} |`);
    console.error(rows.at(-1));
  }
  for (const worker of workers.values()) worker.disconnect();
  const worst = Math.max(...shipped);
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, Node ${process.version}, ${server.engine.kind} ${server.engine.version}`;
  await writeFile(
    new URL('../SAFETY.md', import.meta.url),
    `# Cost of safety: results of \`npm run bench:safety\`

One run on ${machine}. Per cent of CPU a command more than \`off\`, in the same round: median (lowest to highest) of
${values.rounds} rounds. The defaults cost ${median(shipped).toFixed(1)} % in the middle and ${worst.toFixed(1)} % at worst; the goal is under ${GOAL} %: ${worst < GOAL ? 'met' : median(shipped) < GOAL ? 'met in the middle, missed at worst' : 'MISSED'}.
Negative figures are noise of the machine.

| case | ${others.join(' | ')} | off, microseconds a command |
|---|${others.map(() => '---').join('|')}|---|
${rows.join('\n')}

${Object.entries(SETTINGS)
  .map(([name, { says }]) => `- **${name}**: ${says}`)
  .join('\n')}

What cannot be switched off is in all of them: arguments are checked and length-prefixed, replies are parsed strictly,
a lost write is not sent again.
`,
  );
  console.error(
    `Wrote bench/SAFETY.md: defaults cost ${median(shipped).toFixed(1)} % (worst case ${worst.toFixed(1)} %)`,
  );
}

const [setting, url] = process.argv.slice(2);
if (setting !== undefined && url !== undefined && process.send !== undefined) await work(setting, url);
else await compare();
