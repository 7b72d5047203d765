import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DANGEROUS_COMMANDS } from 'redkeep';
import type { DeploymentNode, User } from '../deployment/model.js';
import { expectationsFor } from './expectations.js';

test('what is tried on users is in the table of dangerous commands', () => {
  const user = { role: 'application', keys: ['app:*'], extraCommands: [] } as unknown as User;
  const node = { role: 'primary' } as unknown as DeploymentNode;
  const denied = expectationsFor(user, node, { name: 'redis', version: '8.0' }).filter(
    ({ command, allowed }) => !allowed && !['GET', 'SET', 'DEL'].includes(command[0]!),
  );
  assert.ok(denied.length > 20);
  for (const { command } of denied) {
    const names = [command[0]!, command.slice(0, 2).join(' ')];
    assert.ok(
      names.some((name) => DANGEROUS_COMMANDS.has(name)),
      command.join(' '),
    );
  }
});
