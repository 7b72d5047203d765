import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../context.js';
import type { DeploymentNode } from '../deployment/model.js';
import { asRole } from '../engine/as-role.js';
import { parseInfo } from '../engine/info.js';
import type { Delivery } from './delivery.js';

const patienceMilliseconds = 30_000;
const pollMilliseconds = 200;

/**
 * Stops a node. A server that writes its first append-only file, after a full copy from its primary, refuses to end
 * ("Writing initial AOF, can't exit") and would be killed when its manager's patience ends: that is waited for first.
 */
export function stopNode(context: Context, delivery: Delivery, node: DeploymentNode): Promise<boolean> {
  return context.terminal.during(`stop ${node.name}`, () => stopWhenWritten(context, delivery, node));
}

async function stopWhenWritten(context: Context, delivery: Delivery, node: DeploymentNode): Promise<boolean> {
  const giveUp = performance.now() + patienceMilliseconds;
  while (node.role !== 'sentinel' && (await isWritingAof(context, delivery, node)) && performance.now() < giveUp) {
    await delay(pollMilliseconds);
  }
  return delivery.stop(node);
}

/** False where the node does not answer: then there is nothing to wait for. */
async function isWritingAof(context: Context, delivery: Delivery, node: DeploymentNode): Promise<boolean> {
  if ((await delivery.state(node)) !== 'running') return false;
  const text = await asRole(context, delivery.loaded, node, 'monitoring', (client) =>
    client.sendCommand(['INFO', 'persistence']),
  ).catch(() => '');
  const info = parseInfo(text);
  return info.get('aof_rewrite_in_progress') === '1' || info.get('aof_rewrite_scheduled') === '1';
}
