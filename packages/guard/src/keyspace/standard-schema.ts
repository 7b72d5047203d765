import { GuardError } from '../errors.js';

/**
 * The part of Standard Schema (https://standardschema.dev, version 1) that validation needs; zod, valibot, arktype
 * and others implement it.
 */
export interface StandardSchema<Output = unknown> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
      }[];
    };

/**
 * The validated (and perhaps transformed) value. Errors: REDKEEP_KEYSPACE_VALUE naming the paths that failed; the
 * validator's own messages are left out, because they may quote the value.
 */
export async function validate<T>(schema: StandardSchema<T> | undefined, value: unknown): Promise<T> {
  if (schema === undefined) return value as T;
  const result = await schema['~standard'].validate(value);
  if (result.issues === undefined) return result.value;
  const paths = result.issues.slice(0, 8).map((issue) => {
    const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.');
    return path === '' ? 'the value itself' : path;
  });
  throw new GuardError('REDKEEP_KEYSPACE_VALUE', `at ${[...new Set(paths)].join(', ')}`);
}
