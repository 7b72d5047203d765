export { type Anchor, type AnchorFile, anchorFile, verifyAnchor } from './audit-trail/anchor.js';
export { AuditReader, type AuditReaderOptions, type NumberedEntry } from './audit-trail/audit-reader.js';
export { AuditTrail, type AuditTrailOptions } from './audit-trail/audit-trail.js';
export type { AuditEvent, RecordedEvent } from './audit-trail/chain.js';
export type { StoredEntry } from './audit-trail/entry.js';
export { type AuditRepair, type AuditRepairOptions, repairAuditTrail } from './audit-trail/repair.js';
export type { ChainProblem, ChainReport, OutsideProof } from './audit-trail/verify-chain.js';
export { Cache, type CacheOptions } from './cache/cache.js';
export { type CsrfOptions, CsrfTokens, type OriginHeaders } from './csrf/csrf-tokens.js';
export { BlindIndex, type BlindIndexOptions } from './encryption/blind-index.js';
export { DataKey } from './encryption/data-key.js';
export { EncryptedHash, type EncryptedHashOptions } from './encryption/encrypted-hash.js';
export {
  type Accelerator,
  Encryption,
  type EncryptionOptions,
  type SealContext,
  type Sealer,
} from './encryption/encryption.js';
export { EnvelopeKeys, type EnvelopeKeysOptions, type KeyWrapper } from './encryption/envelope-keys.js';
export { exportPerson, type PersonExportOptions, type PersonItem } from './encryption/export-person.js';
export type { Awaitable, KeyMaterial, KeyRing } from './encryption/key-ring.js';
export { type KeyStore, type Replication, redisKeyStore } from './encryption/key-store.js';
export {
  type ErasureChannel,
  type ErasureReceipt,
  PersonKeys,
  type PersonKeysOptions,
  type RewrapResult,
  verifyErasureReceipt,
} from './encryption/person-keys.js';
export {
  type KeyFileOptions,
  keysFromCallback,
  keysFromEnv,
  keysFromFile,
  keysFromValue,
} from './encryption/providers/local.js';
export {
  type AwsKms,
  awsKms,
  localWrapper,
  type VaultTransitOptions,
  vaultTransit,
} from './encryption/providers/wrappers.js';
export { type ReencryptOptions, type ReencryptProgress, reencrypt } from './encryption/reencrypt.js';
export { type SodiumNative, sodiumAccelerator } from './encryption/sodium-accelerator.js';
export { GuardError, type GuardErrorCode, guardErrors, hasCode } from './errors.js';
export { type AddressedRequest, clientAddress } from './http/client-address.js';
export {
  type CsrfHttpOptions,
  type CsrfRequest,
  csrfHook,
  csrfMiddleware,
  type WebCsrfOptions,
  webCsrf,
} from './http/csrf.js';
export {
  type IdempotencyHttpOptions,
  type IdempotentHttpRequest,
  idempotencyHooks,
  idempotencyMiddleware,
  webIdempotency,
} from './http/idempotency.js';
export { type FingerprintPart, requestFingerprint } from './http/request-fingerprint.js';
export {
  honoRateLimit,
  koaRateLimit,
  NestRateLimitGuard,
  type WebRateLimitOptions,
  WebSessionHandler,
  type WebSessionHandlerOptions,
  webCsrfCheck,
  webRateLimit,
} from './http/web.js';
export {
  IdempotencyKeys,
  type IdempotencyOptions,
  type IdempotentRequest,
  type IdempotentResult,
} from './idempotency/idempotency.js';
export type { AclLineOptions, AclSpace, KeyspaceUse } from './keyspace/acl-lines.js';
export type { ValidatorOptions } from './keyspace/command-validator.js';
export type { KeyspaceDefinition } from './keyspace/definition.js';
export { type KeyspaceSetOptions, KeyspaceView } from './keyspace/keyspace-view.js';
export {
  defineKeyspaces,
  type KeyspaceOpenOptions,
  Keyspaces,
  type KeyspaceViews,
  type ValueOf,
} from './keyspace/keyspaces.js';
export type { StandardSchema } from './keyspace/standard-schema.js';
export { LeaderElection, type LeaderElectionOptions } from './lock/leader-election.js';
export type { Lock } from './lock/lock.js';
export { type LockOptions, Locks, type LocksOptions } from './lock/locks.js';
export { type Permit, type PermitOptions, Semaphores, type SemaphoresOptions } from './lock/semaphores.js';
export {
  type Backoff,
  type LoginAttempt,
  type LoginAttemptSource,
  LoginThrottle,
  type LoginThrottleOptions,
} from './login/login-throttle.js';
export {
  type GuardComponentName,
  type GuardLibrary,
  type GuardNeed,
  guardCommands,
  guardComponentNames,
  guardKeyPattern,
  guardLibrary,
  guardNeeds,
  type ScriptWay,
} from './needs.js';
export { rateLimitHeaders } from './rate-limit/headers.js';
export {
  ExpressRateLimitStore,
  type ExpressRateLimitStoreOptions,
  enforceRateLimit,
  type RateLimitHttpOptions,
  rateLimitHook,
  rateLimitMiddleware,
} from './rate-limit/http.js';
export type { Decision, Limit } from './rate-limit/limit.js';
export {
  RateLimiter,
  type RateLimiterOptions,
  type StoreErrorPolicy,
} from './rate-limit/rate-limiter.js';
export {
  type ClusterClient,
  type DirectClient,
  type GuardClient,
  type ScriptsRun,
  type SentinelClient,
  scriptsRun,
} from './redis/redis.js';
export { expressSessionStore, fastifySessionStore, type WebSessionStore } from './session/express-store.js';
export { type FrameworkCookie, SessionCookie, type SessionCookieOptions } from './session/session-cookie.js';
export type { RefusalReason, SessionStoreOptions } from './session/session-store.js';
export {
  type FingerprintPolicy,
  type Session,
  type SessionSummary,
  Sessions,
  type SessionsOptions,
} from './session/sessions.js';
export type { ExpressStoreOptions, WebSession } from './session/web-sessions.js';
export { type ApiKey, type ApiKeyRequest, ApiKeys, type ApiKeysOptions } from './tokens/api-keys.js';
export {
  type CodeRequest,
  OneTimeTokens,
  type OneTimeTokensOptions,
  type Redeemed,
  type TokenRequest,
} from './tokens/one-time-tokens.js';
export { type RefreshToken, RefreshTokens, type RefreshTokensOptions } from './tokens/refresh-tokens.js';
export { type RevocableToken, TokenDenylist, type TokenDenylistOptions } from './tokens/token-denylist.js';
export { version } from './version.js';
