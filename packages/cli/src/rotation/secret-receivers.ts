import type { LoadedDeployment } from '../deployment/loaded-deployment.js';

export interface SecretHandover {
  readonly loaded: LoadedDeployment;
  readonly user: string;
  readonly password: string;
  /** `pending`: it is to come and no server knows it yet. `current`: every server accepts it, applications take it. */
  readonly stage: 'pending' | 'current';
}

/** A place from which applications read their passwords. `put` is safe to repeat. */
export interface SecretReceiver {
  readonly name: string;
  put(handover: SecretHandover): Promise<void>;
}
