import type { Context } from '../../context.js';
import { roles } from '../../deployment/roles.js';
import { loadDeployment } from '../../deployment/state.js';
import type { DirOption } from '../dir-option.js';

export async function aclList(context: Context, options: DirOption & { json?: boolean }): Promise<void> {
  const { users } = (await loadDeployment(context, options.dir)).deployment;
  if (options.json) return context.terminal.json(users);
  context.terminal.table(
    ['user', 'role', 'keys', 'channels', 'purpose'],
    users.map((user) => [
      user.name,
      user.role,
      user.role === 'admin' ? '*' : user.keys.join(' ') || '-',
      user.role === 'admin' ? '*' : user.channels.join(' ') || '-',
      roles[user.role].purpose,
    ]),
  );
}
