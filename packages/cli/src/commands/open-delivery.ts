import type { Delivery } from '../apply/delivery.js';
import { type DeliveryOptions, deliveryOf } from '../apply/delivery-of.js';
import type { Context } from '../context.js';
import type { DeploymentNode } from '../deployment/model.js';
import { loadDeployment } from '../deployment/state.js';
import { CliError } from '../errors.js';

/** The deployment a command was pointed at, with the means to change it. */
export async function openDelivery(
  context: Context,
  dir: string | undefined,
  options: DeliveryOptions = {},
): Promise<Delivery> {
  return deliveryOf(context, await loadDeployment(context, dir), options);
}

/** The nodes of these names; all of them where none is named. */
export function chosenNodes({ loaded }: Delivery, names: readonly string[]): readonly DeploymentNode[] {
  const { nodes } = loaded.deployment;
  const unknown = names.find((name) => !nodes.some((node) => node.name === name));
  if (unknown !== undefined) {
    const known = nodes.map(({ name }) => name).join(', ');
    throw new CliError('REDKEEP_NODE_UNKNOWN', `There is no node "${unknown}".`, `The nodes are: ${known}.`);
  }
  return names.length === 0 ? nodes : nodes.filter(({ name }) => names.includes(name));
}
