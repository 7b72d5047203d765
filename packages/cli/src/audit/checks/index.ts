import { authentication } from './authentication/index.js';
import { authorization } from './authorization/index.js';
import { backup } from './backup/index.js';
import type { Check } from './check.js';
import { clients } from './clients/index.js';
import { configuration } from './configuration/index.js';
import { container } from './container/index.js';
import { host } from './host/index.js';
import { logging } from './logging/index.js';
import { network } from './network/index.js';
import { software } from './software/index.js';
import { transport } from './transport/index.js';

/** Every check there is, by area. */
export const checks: readonly Check[] = [
  ...network,
  ...authentication,
  ...authorization,
  ...transport,
  ...configuration,
  ...software,
  ...host,
  ...container,
  ...logging,
  ...backup,
  ...clients,
];
