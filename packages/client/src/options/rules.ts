/**
 * Rules that options keep, and the check of an object of options against them. Which options there are is said where
 * they are used, for clients in `option-schema.ts`.
 */
import { Secret } from '../credentials/secret.js';
import { InvalidOptionError } from '../errors.js';
import { nearestName } from './nearest-name.js';

/** @throws InvalidOptionError that names `path` */
export interface Rule {
  (value: unknown, path: string): void;
  /** Of an object: its own options. */
  readonly schema?: () => Schema;
  /** The option must be given. */
  readonly isRequired?: boolean;
}
export type Schema = Readonly<Record<string, Rule>>;

/** setTimeout's largest delay. */
export const MAX_MS = 2 ** 31 - 1;

export const rule =
  (test: (value: unknown) => boolean, problem: string): Rule =>
  (value, path) => {
    if (!test(value)) throw new InvalidOptionError(path, problem);
  };
export const is =
  (type: string) =>
  (value: unknown): boolean =>
    typeof value === type;
export const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
export const isPlain = (value: unknown): boolean =>
  isObject(value) && !Array.isArray(value) && !ArrayBuffer.isView(value);
export const isBytes = (value: unknown): value is string | Buffer =>
  typeof value === 'string' || Buffer.isBuffer(value);
export const whole = (from: number, to = Number.MAX_SAFE_INTEGER) =>
  rule(
    (n) => Number.isInteger(n) && (n as number) >= from && (n as number) <= to,
    `must be a whole number from ${from}${to === Number.MAX_SAFE_INTEGER ? '' : ` to ${to}`}`,
  );

export const flag = rule(is('boolean'), 'must be true or false');
export const text = rule((v) => typeof v === 'string' && v !== '', 'must be a string that is not empty');
export const callback = rule(is('function'), 'must be a function');
export const anyObject = rule(isPlain, 'must be an object');
export const milliseconds = rule(
  (n) => typeof n === 'number' && n >= 0 && n <= MAX_MS,
  `must be milliseconds from 0 to ${MAX_MS}`,
);
/** Between two looks at something: 0 would be without a pause. */
export const interval = rule(
  (n) => typeof n === 'number' && n >= 1 && n <= MAX_MS,
  `must be milliseconds from 1 to ${MAX_MS}`,
);
export const positive = rule((n) => typeof n === 'number' && n > 0, 'must be a positive number');
export const secret = rule((v) => typeof v === 'string' || v instanceof Secret, 'must be a string or a Secret');
export const oneOf = (...values: unknown[]) =>
  rule(
    (v) => values.includes(v),
    `must be ${values.map((v) => (typeof v === 'string' ? `'${v}'` : String(v))).join(' or ')}`,
  );
export const listOf = (test: (value: unknown) => boolean, problem: string) =>
  rule((v) => Array.isArray(v) && v.every(test), problem);
export const fields = (schema: () => Schema): Rule =>
  Object.assign((value: unknown, path: string) => checkFields(value, schema(), path), { schema });
export const either = (test: (value: unknown) => boolean, otherwise: Rule): Rule =>
  Object.assign(
    (value: unknown, path: string) => {
      if (!test(value)) otherwise(value, path);
    },
    { schema: otherwise.schema },
  );

export const required = (of: Rule): Rule =>
  Object.assign((value: unknown, path: string) => of(value, path), { schema: of.schema, isRequired: true });
/** An array of `least` items or more. */
export const each =
  (one: Rule, problem: string, least = 0): Rule =>
  (value, path) => {
    if (!Array.isArray(value) || value.length < least) throw new InvalidOptionError(path, problem);
    for (const [i, item] of value.entries()) one(item, `${path}[${i}]`);
  };

/**
 * Checks names and values. `undefined` counts as not given.
 * @throws InvalidOptionError
 */
export function checkOptions(given: unknown, schema: Schema): void {
  checkFields(given, schema, '');
}

function checkFields(given: unknown, schema: Schema, path: string): void {
  if (!isPlain(given))
    throw new InvalidOptionError(
      path === '' ? 'options' : path,
      path === '' && typeof given === 'string' ? 'must be an object; give an address as { url }' : 'must be an object',
    );
  for (const name of Object.keys(given as object))
    if (!Object.hasOwn(schema, name)) throw unknownOption(below(path, name), name, schema);
  for (const [name, value] of Object.entries(given as object))
    if (value !== undefined) schema[name]!(value, below(path, name));
  for (const [name, { isRequired }] of Object.entries(schema))
    if (isRequired && (!Object.hasOwn(given as object, name) || (given as Record<string, unknown>)[name] === undefined))
      throw new InvalidOptionError(below(path, name), 'is missing');
}

/** Path of an option below another. */
export const below = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

function unknownOption(path: string, name: string, schema: Schema): InvalidOptionError {
  const known = Object.keys(schema);
  const below = known.find((k) => schema[k]!.schema !== undefined && Object.hasOwn(schema[k]!.schema!(), name));
  if (below !== undefined)
    return new InvalidOptionError(path, `is not an option here; it belongs to ${below}: { ${name} }`);
  const nearest = nearestName(name, known);
  return new InvalidOptionError(path, `is not an option${nearest === undefined ? '' : `; did you mean ${nearest}?`}`);
}
