import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { isIP } from 'node:net';
import { promisify } from 'node:util';
import { isThisMachine } from '../../audit/gather/process.js';
import { CliError } from '../../errors.js';
import type { ContainOptions, ContainStep, StepNode } from './step.js';

const execute = promisify(execFile);
const environment = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };

/** One table for each port, so that two servers of one machine do not undo each other's. */
export function tableOf(port: number): string {
  return `redkeep_incident_${port}`;
}

/**
 * A table of its own in front of every other rule: only the addresses given reach the port. Also loopback, because an
 * intruder may be on the machine. The table is replaced as a whole, so that repeating it is safe.
 */
export function rulesetOf(port: number, allowed: readonly string[]): string {
  const table = `inet ${tableOf(port)}`;
  const of = (family: 'ip' | 'ip6', addresses: readonly string[]): string[] =>
    addresses.length === 0 ? [] : [`    tcp dport ${port} ${family} saddr { ${addresses.join(', ')} } accept`];
  const version = (address: string): number => isIP(address.split('/')[0]!);
  return [
    // Made first, so that removing it never fails.
    `table ${table}`,
    `delete table ${table}`,
    `table ${table} {`,
    '  chain input {',
    '    type filter hook input priority -150; policy accept;',
    ...of(
      'ip',
      allowed.filter((address) => version(address) === 4),
    ),
    ...of(
      'ip6',
      allowed.filter((address) => version(address) === 6),
    ),
    `    tcp dport ${port} drop`,
    '  }',
    '}',
    '',
  ].join('\n');
}

/** Addresses of this tool's own connections, as the server sees them, and those that were given. */
async function allowedOf({ ask }: StepNode, { allowFrom }: ContainOptions): Promise<string[]> {
  const own = /(?:^| )addr=(\S+):\d+/.exec(String(await ask('CLIENT', 'INFO')))?.[1] ?? '127.0.0.1';
  return [...new Set([own.replace(/^\[|\]$/g, ''), ...allowFrom])].filter((each) => isIP(each.split('/')[0]!) !== 0);
}

async function load(text: string): Promise<void> {
  const nft = spawn('nft', ['-f', '-'], { stdio: ['pipe', 'ignore', 'pipe'], env: environment });
  let said = '';
  nft.stderr.setEncoding('utf8').on('data', (part: string) => {
    said += part;
  });
  nft.stdin.end(text);
  const [code] = (await once(nft, 'exit')) as [number | null];
  if (code === 0) return;
  throw new CliError(
    'REDKEEP_CONTAINMENT_FAILED',
    `The packet filter refused the rules: ${said.split('\n')[0]}`,
    'Run it as root, or without --firewall.',
  );
}

export const firewall: ContainStep = {
  id: 'firewall',
  title: 'Let only this machine and named addresses reach the port',
  effect: 'Packets of all others are dropped; their connections hang. Replicas and Sentinels too, unless named.',
  undoText: 'The table of rules is removed.',
  async plan(node, options) {
    const { port, host } = node.endpoint;
    if (!options.firewall) return { not: 'not asked for (--firewall)' };
    const allowed = await allowedOf(node, options);
    if (port === 0) return { not: 'it is reached by a Unix socket' };
    if (!isThisMachine(host))
      return { not: `${host} is another machine; load this there with "nft -f -":\n${rulesetOf(port, allowed)}` };
    return { runs: [`nft: table ${tableOf(port)}, only ${allowed.join(', ')} may reach port ${port}`] };
  },
  before: async () => ({}),
  async take(node, options) {
    await load(rulesetOf(node.endpoint.port, await allowedOf(node, options)));
  },
  async undo({ endpoint }) {
    const table = ['inet', tableOf(endpoint.port)];
    const there = await execute('nft', ['list', 'table', ...table], { env: environment }).then(
      () => true,
      () => false,
    );
    if (there) await execute('nft', ['delete', 'table', ...table], { env: environment });
    return undefined;
  },
};
