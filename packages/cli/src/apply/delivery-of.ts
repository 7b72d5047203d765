import type { Context } from '../context.js';
import type { LoadedDeployment } from '../deployment/loaded-deployment.js';
import type { TargetName } from '../vocabulary/names.js';
import type { Delivery } from './delivery.js';
import { LocalDelivery } from './targets/local.js';

export interface DeliveryOptions {
  /** The server program of a local deployment. */
  readonly server?: string;
}

type Open = (context: Context, loaded: LoadedDeployment, options: DeliveryOptions) => Promise<Delivery>;

const targets: Readonly<Partial<Record<TargetName, Open>>> = {
  local: async (context, loaded, options) => new LocalDelivery(context, loaded, options),
};

/** How a deployment's servers are changed, by its target. */
export async function deliveryOf(
  context: Context,
  loaded: LoadedDeployment,
  options: DeliveryOptions = {},
): Promise<Delivery> {
  return targets[loaded.deployment.target]!(context, loaded, options);
}
