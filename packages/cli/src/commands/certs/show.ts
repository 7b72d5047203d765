import type { Context } from '../../context.js';
import { loadDeployment } from '../../deployment/state.js';
import { readStatuses } from '../../pki/certificate-status.js';
import type { DirOption } from '../dir-option.js';

export async function certsShow(context: Context, options: DirOption & { json?: boolean }): Promise<void> {
  const loaded = await loadDeployment(context, options.dir);
  const statuses = await readStatuses(loaded, context.clock.now());
  if (options.json) return context.terminal.json(statuses);
  context.terminal.table(
    ['name', 'use', 'until', 'days', 'renewal', 'SHA-256', 'names'],
    statuses.map((status) => [
      status.name,
      status.usage,
      status.notAfter.toISOString().slice(0, 10),
      String(status.daysLeft),
      status.renewalDue ? 'due' : '-',
      status.fingerprint.slice(0, 23),
      status.names,
    ]),
  );
}
