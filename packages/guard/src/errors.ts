import { RedkeepError } from 'redkeep';

/**
 * One table: code -> what happened -> what to do next. Every error of this package is a {@link GuardError} with one
 * of these codes. Messages never carry key names, values, credentials or personal data.
 */
export const guardErrors = {
  REDKEEP_GUARD_OPTION: {
    what: 'An option is missing or out of bounds',
    next: 'Correct the option named here; the page of the component lists its bounds.',
  },
  REDKEEP_GUARD_ARGUMENT: {
    what: 'An argument of a call is missing, of the wrong type or out of bounds',
    next: 'Correct the argument named here; nothing was sent to Redis.',
  },
  REDKEEP_STORE_UNAVAILABLE: {
    what: 'Redis did not answer in time or cannot serve the operation now',
    next: 'Check that the server is up, writable and below its memory limit; the cause is attached to this error.',
  },
  REDKEEP_STORE_DENIED: {
    what: 'Redis refused the command: the ACL user lacks a permission',
    next: 'Give the user what `guardNeeds` lists for this component (`redkeep init` with `guard`, or `aclLines`); ACL LOG on the server names the command and the key.',
  },
  REDKEEP_STORE_REFUSED: {
    what: 'Redis or the client refused the operation',
    next: 'Look at the cause: another program uses the key, the server lacks the command, or a policy of the client forbids it.',
  },
  REDKEEP_VALUE_TOO_LARGE: {
    what: 'The value is larger than its key space or component allows',
    next: 'Store less, or raise the limit where the key space or component is defined.',
  },
  REDKEEP_KEYSPACE_TTL: {
    what: 'The expiry is missing, or longer than the key space allows',
    next: 'Pass a ttl in milliseconds within the limit of the key space.',
  },
  REDKEEP_KEYSPACE_KEY: {
    what: 'The key is not valid in this key space',
    next: 'Pass a non-empty string within the length limit; the prefix is added by the key space.',
  },
  REDKEEP_KEYSPACE_VALUE: {
    what: 'The value failed the validator of its key space',
    next: 'Correct the value; the paths of the failed fields are listed in `issues`.',
  },
  REDKEEP_KEYSPACE_COMMAND: {
    what: 'The operation cannot work in this key space',
    next: 'Encrypted values cannot be counted, appended to or sorted on the server; SCAN and KEYS need a pattern that begins with the prefix of one space, SORT one of the space of its key, and CLIENT TRACKING with BCAST such a PREFIX.',
  },
  REDKEEP_ENCRYPTION_KEY: {
    what: 'An encryption key is missing or malformed',
    next: 'Provide 32 random bytes per key as base64 or hex, newest first (`openssl rand -base64 32`).',
  },
  REDKEEP_ENCRYPTION_KEY_UNKNOWN: {
    what: 'The value was sealed with a key that is not in the key ring',
    next: 'Add the old key to the ring (it stays readable, new values use the first key), or discard the value.',
  },
  REDKEEP_ENCRYPTION_TAMPERED: {
    what: 'The value does not authenticate: it was altered, truncated, moved from another key, or belongs to another environment',
    next: 'Treat it as an attack or corruption: discard the value, and look for writers other than this application.',
  },
  REDKEEP_ENCRYPTION_FOREIGN: {
    what: 'The value is not one of ours: it is plaintext or was written by another program',
    next: 'Migrate it by sealing it once, or allow reading it with `legacyPlaintext: "dangerouslyAccept"` during a migration.',
  },
  REDKEEP_ENCRYPTION_VERSION: {
    what: 'The value was sealed with a format this version does not know',
    next: 'Upgrade @redkeep/guard in every process before writing with a newer one.',
  },
  REDKEEP_ENCRYPTION_PROVIDER: {
    what: 'The key provider failed',
    next: 'Check its address, credentials and permissions; the cause is attached to this error.',
  },
  REDKEEP_PERSON_ERASED: {
    what: 'The key of this person was destroyed; their data cannot be read or written any more',
    next: 'Nothing can be recovered. If the person came back, call `reinstate` to give them a new key.',
  },
  REDKEEP_PERSON_KEYS_WITH_DATA: {
    what: 'Person keys would be kept beside the data they protect, so backups of the data would contain them',
    next: 'Give the key store a server or directory of its own, or say `dangerouslyKeepKeysWithData: true`.',
  },
  REDKEEP_PERSON_UNCONFIRMED: {
    what: 'The key of this person was destroyed on the primary, but too few replicas have confirmed it',
    next: 'Call `erase` again until it succeeds: a replica that missed it could become the primary.',
  },
  REDKEEP_SESSION_ID: {
    what: 'The session id is malformed or too short to be secret',
    next: 'Use the ids that this package creates (128 bits or more).',
  },
  REDKEEP_SESSION_GONE: {
    what: 'The session was destroyed, rotated or has expired since it was loaded; nothing was written',
    next: 'Treat the request as not logged in.',
  },
  REDKEEP_SESSION_CONFLICT: {
    what: 'Another request changed the session since it was loaded; nothing was written',
    next: 'Use `update`, which reloads and applies the change again.',
  },
  REDKEEP_SESSION_LIMIT: {
    what: 'The user has as many sessions as allowed',
    next: 'End one of them, or set `onLimit: "evict-oldest"`.',
  },
  REDKEEP_COOKIE_POLICY: {
    what: 'The cookie options are weaker than the policy allows',
    next: 'Use HttpOnly, Secure, SameSite and the __Host- prefix, or ask for the weakness by its name (`dangerously…`).',
  },
  REDKEEP_AUDIT_CHAIN: {
    what: 'The audit trail does not verify',
    next: 'Keep the stream as evidence, export it, and compare with the last anchor outside Redis.',
  },
  REDKEEP_AUDIT_REPAIR: {
    what: 'The audit trail takes no entries: its head was lost or changed, or what another program wrote is at its end',
    next: 'Copy the keys as evidence, then run `repairAuditTrail` as an administrator; entries wait in the spool meanwhile.',
  },
  REDKEEP_AUDIT_CLOSED: {
    what: 'The audit trail of this process is closed; the entry was not recorded',
    next: 'Record before `close`, or make another `AuditTrail`.',
  },
  REDKEEP_AUDIT_SPOOL: {
    what: 'The audit spool cannot be used: it is not writable, or belongs to another process; the entry was not recorded',
    next: 'Give each process a spool of its own, in a folder that it can write.',
  },
  REDKEEP_AUDIT_SPOOL_FULL: {
    what: 'Redis is away or slow and the audit spool or queue has reached its limit; the entry was not recorded',
    next: 'Bring Redis back or raise `spool.maxBytes` or `maxQueue`; until then, refuse what must not happen unrecorded.',
  },
  REDKEEP_AUDIT_RETENTION: {
    what: 'Entries after the last exported anchor cannot be removed',
    next: 'Write an anchor and export up to it first.',
  },
  REDKEEP_LOCK_TIMEOUT: {
    what: 'The lock is held by someone else and was not released in time',
    next: 'Try again later, or raise `waitMs`.',
  },
  REDKEEP_LOCK_LOST: {
    what: 'The lock expired or was taken over before the work was done',
    next: 'Stop the work; what was written with the older fencing token is refused by `guardedSet`.',
  },
  REDKEEP_LOCK_FENCED: {
    what: 'A holder with a newer fencing token has already written; this write was refused',
    next: 'Stop the work: this process no longer owns the resource.',
  },
  REDKEEP_TOKEN_LIMIT: {
    what: 'The subject has been given as many tokens or codes of this purpose as allowed in an hour',
    next: 'Refuse the request as "too many requests", or raise `maxPerHour`.',
  },
  REDKEEP_TOKEN_REUSED: {
    what: 'The refresh token was used before, or its family has been ended; no token of the family works any more',
    next: 'Let the user log in again, and look at `onReuse`: a copy of the token may be in other hands.',
  },
  REDKEEP_TOKEN_RACED: {
    what: 'The refresh token was used a moment ago, by another request of the same client',
    next: 'Use the token that the other request received, or try again with it.',
  },
  REDKEEP_IDEMPOTENCY_RUNNING: {
    what: 'A request with this idempotency key is running',
    next: 'Answer 409 and let the client try again later, or raise `waitMs`.',
  },
  REDKEEP_IDEMPOTENCY_MISMATCH: {
    what: 'The idempotency key was used with another request',
    next: 'Answer 422: the client must use a new key for a new request.',
  },
  REDKEEP_IDEMPOTENCY_LOST: {
    what: 'The work was done, but its key had passed to another run, so the answer was not kept',
    next: 'Look for what was done twice; raise `lockMs` if work is silent for longer.',
  },
} as const satisfies Record<string, { what: string; next: string }>;

/** Stable code of a {@link GuardError}. */
export type GuardErrorCode = keyof typeof guardErrors;

/**
 * What every component throws: a {@link RedkeepError} whose `detail` names an option, a limit, a command or a key id.
 *
 * @example
 * try { await sessions.save(visitor) } catch (error) {
 *   if (hasCode(error, 'REDKEEP_SESSION_GONE')) return logIn();
 *   throw error;
 * }
 */
export class GuardError extends RedkeepError {
  static override readonly name: string = 'GuardError';
  declare readonly code: GuardErrorCode;
  readonly detail: string | undefined;

  /** `hint`: a next step for this case, instead of the code's. */
  constructor(code: GuardErrorCode, detail?: string, options?: ErrorOptions & { readonly hint?: string }) {
    const { what, next } = guardErrors[code];
    super(code, `${what}${detail === undefined ? '' : ` (${detail})`}.`, {
      hint: next,
      ...options,
      publicMessage: publicMessageOf(code),
      docs: `guard-errors.md#${code.toLowerCase()}`,
    });
    this.detail = detail;
  }
}

/** What end users may read, by what happened. Codes without an entry: the request could not be completed. */
const PUBLIC_MESSAGES: readonly (readonly [message: string, codes: readonly GuardErrorCode[]])[] = [
  [
    'The service is temporarily unavailable.',
    [
      'REDKEEP_STORE_UNAVAILABLE',
      'REDKEEP_ENCRYPTION_PROVIDER',
      'REDKEEP_PERSON_UNCONFIRMED',
      'REDKEEP_AUDIT_CLOSED',
      'REDKEEP_AUDIT_REPAIR',
      'REDKEEP_AUDIT_SPOOL',
      'REDKEEP_AUDIT_SPOOL_FULL',
    ],
  ],
  [
    'The service is misconfigured.',
    [
      'REDKEEP_GUARD_OPTION',
      'REDKEEP_STORE_DENIED',
      'REDKEEP_ENCRYPTION_KEY',
      'REDKEEP_ENCRYPTION_KEY_UNKNOWN',
      'REDKEEP_ENCRYPTION_VERSION',
      'REDKEEP_PERSON_KEYS_WITH_DATA',
      'REDKEEP_COOKIE_POLICY',
    ],
  ],
  [
    'The request is not valid.',
    [
      'REDKEEP_GUARD_ARGUMENT',
      'REDKEEP_VALUE_TOO_LARGE',
      'REDKEEP_KEYSPACE_TTL',
      'REDKEEP_KEYSPACE_KEY',
      'REDKEEP_KEYSPACE_VALUE',
      'REDKEEP_IDEMPOTENCY_MISMATCH',
    ],
  ],
  ['Too many requests.', ['REDKEEP_SESSION_LIMIT', 'REDKEEP_TOKEN_LIMIT']],
  ['The service is busy.', ['REDKEEP_LOCK_TIMEOUT', 'REDKEEP_IDEMPOTENCY_RUNNING']],
  [
    'The data changed meanwhile; try again.',
    ['REDKEEP_SESSION_CONFLICT', 'REDKEEP_LOCK_LOST', 'REDKEEP_LOCK_FENCED', 'REDKEEP_TOKEN_RACED'],
  ],
];

function publicMessageOf(code: GuardErrorCode): string {
  return PUBLIC_MESSAGES.find(([, codes]) => codes.includes(code))?.[0] ?? 'The request could not be completed.';
}

/** Whether an error is a {@link GuardError} with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly GuardErrorCode[]): error is GuardError {
  return error instanceof GuardError && codes.includes(error.code);
}
