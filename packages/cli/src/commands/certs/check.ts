import type { Context } from '../../context.js';
import { endpointOf } from '../../engine/local-servers.js';
import { probeTls } from '../../engine/probe-tls.js';
import { ExitCode } from '../../exit-codes.js';
import { criticalDays, readStatuses, warningDays } from '../../pki/certificate-status.js';
import type { DirOption } from '../dir-option.js';
import { openDelivery } from '../open-delivery.js';

interface Problem {
  readonly certificate: string;
  readonly level: 'critical' | 'warning';
  readonly problem: string;
}

const probeMilliseconds = 5000;

/** Exit code 1 when a certificate expires soon, is not what a node serves, or a node cannot be asked. */
export async function certsCheck(context: Context, options: DirOption & { json?: boolean }): Promise<void> {
  const { terminal, clock } = context;
  const { loaded } = await openDelivery(context, options.dir);
  const statuses = await readStatuses(loaded, clock.now());
  const problems: Problem[] = statuses.flatMap(({ name, daysLeft, notBefore }) => {
    if (notBefore > clock.now()) {
      const problem = 'is not valid yet: the clock of this machine, or of the one that issued it, is wrong';
      return [{ certificate: name, level: 'critical' as const, problem }];
    }
    if (daysLeft > warningDays) return [];
    const level = daysLeft <= criticalDays ? ('critical' as const) : ('warning' as const);
    return [{ certificate: name, level, problem: daysLeft < 0 ? 'has expired' : `expires in ${daysLeft} days` }];
  });
  for (const node of loaded.deployment.nodes) {
    const onDisk = statuses.find(({ name }) => name === node.certificate);
    try {
      const served = await probeTls(await endpointOf(loaded, node), probeMilliseconds);
      if (served.certificate.fingerprint256 !== onDisk?.fingerprint) {
        const problem = `${node.name} serves another certificate than the one on disk: redkeep certs renew, or restart it`;
        problems.push({ certificate: node.certificate, level: 'warning', problem });
      }
    } catch (error) {
      const problem = `${node.name} could not be asked: ${error instanceof Error ? error.message : error}`;
      problems.push({ certificate: node.certificate, level: 'warning', problem });
    }
  }
  if (problems.length > 0) context.exitCode = ExitCode.Findings;
  if (options.json) return terminal.json({ problems, certificates: statuses });
  for (const { certificate, level, problem } of problems) {
    terminal.line(`${terminal.style(level === 'critical' ? 'red' : 'yellow', level)} ${certificate}: ${problem}`);
  }
  terminal.line(`${statuses.length} certificates, ${problems.length} problems.`);
}
