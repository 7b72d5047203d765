import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { NotObserved } from '../../audit/facts/fact.js';

const execute = promisify(execFile);

/** Rules of the packet filter as text, of nft and of iptables. Root only. */
export async function readPacketFilter(): Promise<string> {
  const env = { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' };
  const run = (program: string, ...args: string[]) =>
    execute(program, args, { timeout: 5000, env }).then(
      ({ stdout }) => stdout,
      () => undefined,
    );
  const [nft, iptables] = [await run('nft', 'list', 'ruleset'), await run('iptables-save')];
  if (nft === undefined && iptables === undefined)
    throw new NotObserved('the packet filter can be read by root only, or there is none');
  return `${nft ?? ''}\n${iptables ?? ''}`;
}
