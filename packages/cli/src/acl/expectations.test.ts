import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DANGEROUS_COMMANDS } from 'redkeep';
import type { DeploymentNode, User } from '../deployment/model.js';
import { expectationsFor } from './expectations.js';

test('what is tried on users comes from the table of dangerous commands, with its harm', () => {
  const user = { role: 'application', keys: ['app:*'], extraCommands: [] } as unknown as User;
  const node = { role: 'primary' } as unknown as DeploymentNode;
  const denied = expectationsFor(user, node, { name: 'redis', version: '8.0' }).filter(
    ({ command, allowed }) => !allowed && !['GET', 'SET', 'DEL'].includes(command[0]!),
  );
  assert.equal(denied.length, 26);
  for (const { command, harm } of denied) {
    const [name = '', sub = ''] = command;
    assert.equal(
      harm,
      (DANGEROUS_COMMANDS.get(name) ?? DANGEROUS_COMMANDS.get(`${name} ${sub}`))?.harm,
      command.join(' '),
    );
  }
});
