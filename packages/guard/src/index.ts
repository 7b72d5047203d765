export { DataKey } from './encryption/data-key.js';
export {
  type Accelerator,
  Encryption,
  type EncryptionOptions,
  type SealContext,
  type Sealer,
} from './encryption/encryption.js';
export type { Awaitable, KeyMaterial, KeyRing } from './encryption/key-ring.js';
export {
  type KeyFileOptions,
  keysFromCallback,
  keysFromEnv,
  keysFromFile,
  keysFromValue,
} from './encryption/providers/local.js';
export { GuardError, type GuardErrorCode, guardErrors } from './errors.js';
export type { StandardSchema } from './keyspace/standard-schema.js';
export type { ClusterClient, DirectClient, GuardClient, SentinelClient } from './redis/redis.js';
export type { RefusalReason, SessionStoreOptions } from './session/session-store.js';
export { type FingerprintPolicy, type Session, Sessions, type SessionsOptions } from './session/sessions.js';
export { version } from './version.js';
