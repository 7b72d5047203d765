import { KeyObject } from 'node:crypto';
import { nearestName } from 'redkeep';
import { decodeKey, type KeyMaterial } from './encryption/key-ring.js';
import { GuardError, type GuardErrorCode } from './errors.js';
import { isWellFormed } from './well-formed.js';

/*
 * What the options of every component may be. TypeScript checks the types of some callers; a NaN, a value from the
 * environment or a misspelt name reaches every component, and would change what it protects without a word.
 */

/** What one option may be. */
export interface Rule {
  /** Throws a {@link GuardError} with `code` that names `path`. */
  check(value: unknown, path: string, code: GuardErrorCode): void;
  readonly required: boolean;
}

/** A rule for each option: an option without one does not compile. */
export type Schema<Options> = { readonly [Name in keyof Required<Options>]: Rule };

/** setTimeout's largest delay; beyond it a timer fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

const rule = (test: (value: unknown) => boolean, problem: string): Rule => ({
  required: false,
  check(value, path, code) {
    if (!test(value)) throw new GuardError(code, `${path} ${problem}`);
  },
});
const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
const upTo = (most: number) => (most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`);

export const flag = rule((value) => typeof value === 'boolean', 'must be true or false');
export const callback = rule((value) => typeof value === 'function', 'must be a function');
/** What a hash and Redis would take for another text is not one. */
const isText = (value: unknown): value is string => typeof value === 'string' && isWellFormed(value);
export const text = rule((value) => isText(value) && value !== '', 'must be a well-formed text that is not empty');
export const anyText = rule(isText, 'must be a well-formed text');
/** Objects with any names. */
export const anyObject = rule(isObject, 'must be an object');
export const anything = rule(() => true, '');

export const matching = (pattern: RegExp, problem: string): Rule =>
  rule((value) => isText(value) && pattern.test(value), problem);

/** An object, of any class. */
export const anObject = rule(isObject, 'must be an object');

/** Integers. */
export const whole = (from: number, to = Number.MAX_SAFE_INTEGER): Rule =>
  rule(
    (value) => Number.isSafeInteger(value) && (value as number) >= from && (value as number) <= to,
    `must be a whole number from ${from}${upTo(to)}`,
  );

/** Finite numbers, fractions included: milliseconds, shares. */
export const number = (from: number, to = Number.MAX_SAFE_INTEGER): Rule =>
  rule(
    (value) => typeof value === 'number' && Number.isFinite(value) && value >= from && value <= to,
    `must be a number from ${from}${upTo(to)}`,
  );

export const oneOf = (...values: readonly string[]): Rule =>
  rule((value) => values.includes(value as string), `must be ${values.map((value) => `'${value}'`).join(' or ')}`);

/** Objects of a class, or of any that has its methods. */
export const having = (what: string, ...methods: readonly string[]): Rule =>
  rule(
    (value) =>
      (typeof value === 'object' || typeof value === 'function') &&
      value !== null &&
      methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function'),
    `must be ${what}`,
  );

/** What every component runs on. */
export const client = having(
  'a client, pool, cluster or sentinel-managed client of redkeep',
  'sendCommand',
  'withCommandOptions',
);
export const sealer = having('an Encryption, or the sealer of a person', 'seal', 'open');
export const persons = having('PersonKeys', 'sealerOf', 'pseudonym');
export const keyWrapper = having('a key wrapper: localWrapper(…), vaultTransit(…), awsKms(…)', 'wrap', 'unwrap');
export const keyStore = having('a key store: redisKeyStore(…)', 'get', 'swap');
export const schemaLibrary = rule(
  (value) => typeof (value as { '~standard'?: { validate?: unknown } } | null)?.['~standard']?.validate === 'function',
  'must be a Standard Schema (zod, valibot, arktype)',
);
/** A prefix of keys as it may be: no pattern, which SCAN would follow, and no hash tag, which would decide the slot. */
export const prefix = matching(/^[\w.:/-]{1,128}$/, 'must be 1 to 128 letters, digits and _.:/-');
/** Deadline of one call. */
export const timeout = number(1, 60_000);
export const signal = rule((value) => value instanceof AbortSignal, 'must be an AbortSignal');

/** Ed25519. */
export const signingKey = rule(
  (value) => value instanceof KeyObject && value.type === 'private' && value.asymmetricKeyType === 'ed25519',
  'must be an Ed25519 private key (KeyObject)',
);

export const publicKeyObject = rule(
  (value) => value instanceof KeyObject && value.type === 'public',
  'must be a public key (KeyObject)',
);

/** 32 bytes. Errors: REDKEEP_ENCRYPTION_KEY, without the value. */
export const key: Rule = { required: false, check: (value) => void decodeKey(value as KeyMaterial) };

export const list = (item: Rule, least = 0, most = Number.MAX_SAFE_INTEGER): Rule => ({
  required: false,
  check(value, path, code) {
    if (!Array.isArray(value) || value.length < least || value.length > most)
      throw new GuardError(code, `${path} must be an array${least === 0 ? '' : ` of at least ${least}`}${upTo(most)}`);
    // An index and not for-of: a hole is not an item.
    for (let at = 0; at < value.length; at++) item.check(value[at], `${path}[${at}]`, code);
  },
});

/** 32 bytes each, newest first. */
export const keys: Rule = {
  required: false,
  check(value, path, code) {
    if (Array.isArray(value) && value.length === 0)
      throw new GuardError('REDKEEP_ENCRYPTION_KEY', `${path} holds no key`);
    list(key).check(value, path, code);
  },
};

/** An object of options. */
export const fields = <Options>(schema: Schema<Options>): Rule => ({
  required: false,
  check(value, path, code) {
    checkFields(value, schema as Readonly<Record<string, Rule>>, path, code);
  },
});

export const either = (test: (value: unknown) => boolean, otherwise: Rule): Rule => ({
  required: false,
  check(value, path, code) {
    if (!test(value)) otherwise.check(value, path, code);
  },
});

export const required = (of: Rule): Rule => ({ ...of, required: true });

/** Fails with another code than the options around it. */
export const coded = (code: GuardErrorCode, of: Rule): Rule => ({
  required: of.required,
  check: (value, path) => of.check(value, path, code),
});

/**
 * The options that were given themselves: without what is undefined, and without what somebody wrote to
 * `Object.prototype`. Errors: REDKEEP_GUARD_OPTION, or `code`, with the name of the option and, for a name that there
 * is not, the nearest one in its hint.
 */
export function checked<Options extends object>(
  given: Options,
  schema: Schema<Options>,
  code: GuardErrorCode = 'REDKEEP_GUARD_OPTION',
): Options {
  return checkFields(given, schema as Readonly<Record<string, Rule>>, '', code) as Options;
}

/**
 * One argument of a call. Errors: REDKEEP_GUARD_ARGUMENT with its name.
 */
export function argument<Value>(value: Value, name: string, of: Rule): Value {
  of.check(value, name, 'REDKEEP_GUARD_ARGUMENT');
  return value;
}

function checkFields(
  given: unknown,
  schema: Readonly<Record<string, Rule>>,
  path: string,
  code: GuardErrorCode,
): object {
  const below = (name: string) => (path === '' ? name : `${path}.${name}`);
  if (!isObject(given)) throw new GuardError(code, `${path === '' ? 'the options' : path} must be an object`);
  const own: Record<string, unknown> = Object.create(null);
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(schema, name)) throw unknownName(below(name), name, schema, code);
    if (value === undefined) continue;
    schema[name]!.check(value, below(name), code);
    own[name] = value;
  }
  for (const [name, { required: isRequired }] of Object.entries(schema))
    if (isRequired && own[name] === undefined) throw new GuardError(code, `${below(name)} is missing`);
  return own;
}

/** A name may be anything somebody wrote, a secret in the wrong place too: what is far from every option stays unsaid. */
function unknownName(
  path: string,
  name: string,
  schema: Readonly<Record<string, Rule>>,
  code: GuardErrorCode,
): GuardError {
  const nearest = nearestName(name, Object.keys(schema));
  const known = Object.keys(schema).join(', ');
  return nearest === undefined
    ? new GuardError(code, 'a name that is not an option', { hint: `The options are ${known}.` })
    : new GuardError(code, `${path} is not an option`, { hint: `Did you mean ${nearest}?` });
}
