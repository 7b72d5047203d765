import type { Context } from '../context.js';
import { requireOwnFolder } from '../deployment/identity.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { TargetName } from '../vocabulary/names.js';
import type { Delivery } from './delivery.js';
import { LocalDelivery } from './targets/local.js';

export interface DeliveryOptions {
  /** The server program of a local deployment. */
  readonly server?: string;
}

type Open = (context: Context, loaded: LoadedDeployment, options: DeliveryOptions) => Promise<Delivery>;

const targets: Readonly<Record<TargetName, Open>> = {
  local: async (context, loaded, options) => {
    await requireOwnFolder(loaded);
    return new LocalDelivery(context, loaded, options);
  },
  compose: async (context, loaded) => new (await import('./targets/compose.js')).ComposeDelivery(context, loaded),
  systemd: async (context, loaded) => new (await import('./targets/systemd.js')).SystemdDelivery(context, loaded),
  kubernetes: async (context, loaded) =>
    new (await import('./targets/kubernetes.js')).KubernetesDelivery(context, loaded),
};

/** How a deployment's servers are changed, by its target. Sets how its nodes are reached, too. */
export async function deliveryOf(
  context: Context,
  loaded: LoadedDeployment,
  options: DeliveryOptions = {},
): Promise<Delivery> {
  return targets[loaded.deployment.target](context, loaded, options);
}
