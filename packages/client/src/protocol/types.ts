/**
 * What travels over the wire and how replies are typed.
 *
 * Reply markers (`BlobString`, `Double`, …) are type-level only: a command declares its reply with them and
 * {@link Mapped} turns the declaration into what the caller receives under a type mapping.
 */

import { argumentText } from '../argument-text.js';

/** RESP type bytes, usable as keys of a type mapping. RESP3 specification, "RESP3 types". */
export const RESP_TYPES = {
  NULL: 95, // _
  BOOLEAN: 35, // #
  NUMBER: 58, // :
  BIG_NUMBER: 40, // (
  DOUBLE: 44, // ,
  SIMPLE_STRING: 43, // +
  BLOB_STRING: 36, // $
  VERBATIM_STRING: 61, // =
  SIMPLE_ERROR: 45, // -
  BLOB_ERROR: 33, // !
  ARRAY: 42, // *
  SET: 126, // ~
  MAP: 37, // %
  PUSH: 62, // >
} as const;

export type RESP_TYPES = typeof RESP_TYPES;
export type RespType = RESP_TYPES[keyof RESP_TYPES];
export type RespVersion = 2 | 3;

/** A command argument as it travels: UTF-8 text or bytes. */
export type RedisArgument = string | Buffer;
/** Where Redis takes a number, a number or a bigint is accepted too. */
export type NumericArgument = RedisArgument | number | bigint;

/**
 * Which JavaScript type stands for a RESP type, for example `{ [RESP_TYPES.BLOB_STRING]: Buffer }`.
 * The values are constructors: `String`, `Buffer`, `Number`, `BigInt`, `Array`, `Set`, `Map`, `Object`.
 */
export interface TypeMapping {
  [RESP_TYPES.BOOLEAN]?: NumberConstructor | BooleanConstructor;
  [RESP_TYPES.NUMBER]?: NumberConstructor | StringConstructor | BigIntConstructor;
  [RESP_TYPES.BIG_NUMBER]?: BigIntConstructor | NumberConstructor | StringConstructor;
  [RESP_TYPES.DOUBLE]?: NumberConstructor | StringConstructor;
  [RESP_TYPES.SIMPLE_STRING]?: StringConstructor | BufferConstructor;
  [RESP_TYPES.BLOB_STRING]?: StringConstructor | BufferConstructor;
  [RESP_TYPES.VERBATIM_STRING]?: StringConstructor | BufferConstructor | typeof VerbatimString;
  [RESP_TYPES.ARRAY]?: ArrayConstructor;
  [RESP_TYPES.SET]?: ArrayConstructor | SetConstructor;
  [RESP_TYPES.MAP]?: ObjectConstructor | MapConstructor | ArrayConstructor;
}

/** A verbatim string with its three-letter format (`txt`, `mkd`). RESP3 only. */
export class VerbatimString extends String {
  readonly format: string;
  constructor(format: string, value: string) {
    super(argumentText('VerbatimString', 1, value));
    this.format = argumentText('VerbatimString', 0, format);
  }
}

declare const kind: unique symbol;
export interface Marker<K extends string, V = unknown> {
  readonly [kind]: K;
  readonly value?: V;
}
export type SimpleString<T extends string = string> = Marker<'simple', T>;
export type BlobString<T extends string = string> = Marker<'blob', T>;
export type Verbatim = Marker<'verbatim', string>;
export type Double = Marker<'double', number>;
export type Integer<T extends number = number> = Marker<'number', T>;
export type BigNumber = Marker<'big', bigint>;
export type SetOf<T> = Marker<'set', T>;
export type MapOf<K, V> = Marker<'map', [K, V]>;
/** A map whose keys are known: an object with these fields, unless maps are mapped to something else. */
export type FieldsOf<T> = Marker<'fields', T>;

/** A reply that a reader has already turned into `T`, such as parsed JSON: no mapping applies within. */
export type Parsed<T> = Marker<'parsed', T>;

type Ctor<M, K extends keyof TypeMapping, D> = M extends { [P in K]: infer C } ? Instance<C> : D;
type Instance<C> = C extends StringConstructor
  ? string
  : C extends NumberConstructor
    ? number
    : C extends BigIntConstructor
      ? bigint
      : C extends BooleanConstructor
        ? boolean
        : C extends BufferConstructor
          ? Buffer
          : C extends abstract new (
                ...args: never[]
              ) => infer I
            ? I
            : never;

/** The caller's view of a declared reply under type mapping `M`. */
export type Mapped<T, M = Record<never, never>> =
  T extends Marker<'simple', infer V>
    ? Ctor<M, 43, V>
    : T extends Marker<'blob', infer V>
      ? Ctor<M, 36, V>
      : T extends Marker<'verbatim', infer V>
        ? Ctor<M, 61, V>
        : T extends Marker<'double', infer V>
          ? Ctor<M, 44, V>
          : T extends Marker<'number', infer V>
            ? Ctor<M, 58, V>
            : T extends Marker<'big', infer V>
              ? Ctor<M, 40, V>
              : T extends SetOf<infer V>
                ? M extends { 126: SetConstructor }
                  ? Set<Mapped<V, M>>
                  : Mapped<V, M>[]
                : T extends MapOf<infer K, infer V>
                  ? M extends { 37: MapConstructor }
                    ? Map<Mapped<K, M>, Mapped<V, M>>
                    : M extends { 37: ArrayConstructor }
                      ? Mapped<K | V, M>[]
                      : Record<string, Mapped<V, M>>
                  : T extends Marker<'parsed', infer V>
                    ? V
                    : T extends Marker<'fields', infer F>
                      ? M extends { 37: MapConstructor }
                        ? Map<keyof F & string, Mapped<F[keyof F], M>>
                        : M extends { 37: ArrayConstructor }
                          ? (Mapped<F[keyof F], M> | Ctor<M, 36, string>)[]
                          : { [P in keyof F]: Mapped<F[P], M> }
                      : T extends Buffer | Date | Error | ((...args: never[]) => unknown)
                        ? T
                        : T extends readonly unknown[]
                          ? { [I in keyof T]: Mapped<T[I], M> }
                          : T extends Map<infer K, infer V>
                            ? Map<Mapped<K, M>, Mapped<V, M>>
                            : T extends object
                              ? { [P in keyof T]: Mapped<T[P], M> }
                              : T;

/** Anything a server can answer, under the default type mapping. */
export type ReplyValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Buffer
  | Error
  | ReplyValue[]
  | { [key: string]: ReplyValue };
