/** Schemas of search indexes as arguments. https://redis.io/docs/latest/commands/ft.create/ */
import type { RedisArgument } from '../../protocol/types.js';
import { list, word } from '../arguments.js';

export const SCHEMA_FIELD_TYPE = {
  TEXT: 'TEXT',
  NUMERIC: 'NUMERIC',
  GEO: 'GEO',
  TAG: 'TAG',
  VECTOR: 'VECTOR',
  GEOSHAPE: 'GEOSHAPE',
} as const;
export type SchemaFieldType = (typeof SCHEMA_FIELD_TYPE)[keyof typeof SCHEMA_FIELD_TYPE];

export const SCHEMA_TEXT_FIELD_PHONETIC = { DM_EN: 'dm:en', DM_FR: 'dm:fr', DM_PT: 'dm:pt', DM_ES: 'dm:es' } as const;
export type SchemaTextFieldPhonetic = (typeof SCHEMA_TEXT_FIELD_PHONETIC)[keyof typeof SCHEMA_TEXT_FIELD_PHONETIC];

export const SCHEMA_VECTOR_FIELD_ALGORITHM = { FLAT: 'FLAT', HNSW: 'HNSW', VAMANA: 'SVS-VAMANA' } as const;
export type SchemaVectorFieldAlgorithm =
  (typeof SCHEMA_VECTOR_FIELD_ALGORITHM)[keyof typeof SCHEMA_VECTOR_FIELD_ALGORITHM];

export const VAMANA_COMPRESSION_ALGORITHM = {
  LVQ4: 'LVQ4',
  LVQ8: 'LVQ8',
  LVQ4x4: 'LVQ4x4',
  LVQ4x8: 'LVQ4x8',
  LeanVec4x8: 'LeanVec4x8',
  LeanVec8x8: 'LeanVec8x8',
} as const;
export type VamanaCompressionAlgorithm =
  (typeof VAMANA_COMPRESSION_ALGORITHM)[keyof typeof VAMANA_COMPRESSION_ALGORITHM];

export const SCHEMA_GEO_SHAPE_COORD_SYSTEM = { SPHERICAL: 'SPHERICAL', FLAT: 'FLAT' } as const;
export type SchemaGeoShapeFieldCoordSystem =
  (typeof SCHEMA_GEO_SHAPE_COORD_SYSTEM)[keyof typeof SCHEMA_GEO_SHAPE_COORD_SYSTEM];

interface Field<T extends SchemaFieldType> {
  type: T;
  /** Name in queries. */
  AS?: RedisArgument;
  /** Find documents that lack the field. */
  INDEXMISSING?: boolean;
}
interface CommonField<T extends SchemaFieldType> extends Field<T> {
  /** `UNF`: as it is, not folded. */
  SORTABLE?: boolean | 'UNF';
  NOINDEX?: boolean;
}
interface TextField extends CommonField<'TEXT'> {
  NOSTEM?: boolean;
  WEIGHT?: number;
  PHONETIC?: SchemaTextFieldPhonetic;
  WITHSUFFIXTRIE?: boolean;
  INDEXEMPTY?: boolean;
}
interface TagField extends CommonField<'TAG'> {
  SEPARATOR?: RedisArgument;
  CASESENSITIVE?: boolean;
  WITHSUFFIXTRIE?: boolean;
  INDEXEMPTY?: boolean;
}
interface VectorField<A extends SchemaVectorFieldAlgorithm> extends Field<'VECTOR'> {
  ALGORITHM: A;
  TYPE: 'FLOAT32' | 'FLOAT64' | 'BFLOAT16' | 'FLOAT16' | 'INT8' | 'UINT8';
  /** Dimensions. */
  DIM: number;
  DISTANCE_METRIC: 'L2' | 'IP' | 'COSINE';
  INITIAL_CAP?: number;
}
interface FlatVectorField extends VectorField<'FLAT'> {
  BLOCK_SIZE?: number;
}
interface HnswVectorField extends VectorField<'HNSW'> {
  M?: number;
  EF_CONSTRUCTION?: number;
  EF_RUNTIME?: number;
  RERANK?: boolean;
}
interface VamanaVectorField extends VectorField<'SVS-VAMANA'> {
  TYPE: 'FLOAT16' | 'FLOAT32';
  COMPRESSION?: VamanaCompressionAlgorithm;
  CONSTRUCTION_WINDOW_SIZE?: number;
  GRAPH_MAX_DEGREE?: number;
  SEARCH_WINDOW_SIZE?: number;
  EPSILON?: number;
  TRAINING_THRESHOLD?: number;
  REDUCE?: number;
}
interface GeoShapeField extends Field<'GEOSHAPE'> {
  COORD_SYSTEM?: SchemaGeoShapeFieldCoordSystem;
}
type AnyField =
  | TextField
  | CommonField<'NUMERIC'>
  | CommonField<'GEO'>
  | TagField
  | FlatVectorField
  | HnswVectorField
  | VamanaVectorField
  | GeoShapeField;
export type SchemaFieldDefinition = AnyField | SchemaFieldType;
/** Field (of a hash) or JSONPath -> how it is indexed, or several ways. */
export type RediSearchSchema = Readonly<Record<string, SchemaFieldDefinition | readonly SchemaFieldDefinition[]>>;

const TYPES = Object.values(SCHEMA_FIELD_TYPE);
const ALGORITHMS = Object.values(SCHEMA_VECTOR_FIELD_ALGORITHM);

/** Options of a type in the order that the server documents: a name alone is a flag, `value` has one. */
const FIELD_OPTIONS: Readonly<Record<SchemaFieldType, readonly string[]>> = {
  TEXT: ['INDEXMISSING', 'NOSTEM', 'WEIGHT', 'PHONETIC', 'WITHSUFFIXTRIE', 'INDEXEMPTY', 'SORTABLE', 'NOINDEX'],
  NUMERIC: ['INDEXMISSING', 'SORTABLE', 'NOINDEX'],
  GEO: ['INDEXMISSING', 'SORTABLE', 'NOINDEX'],
  TAG: ['INDEXMISSING', 'SEPARATOR', 'CASESENSITIVE', 'WITHSUFFIXTRIE', 'INDEXEMPTY', 'SORTABLE', 'NOINDEX'],
  VECTOR: ['INDEXMISSING'],
  GEOSHAPE: ['COORD_SYSTEM', 'INDEXMISSING'],
};
const VECTOR_OPTIONS = [
  'TYPE',
  'DIM',
  'DISTANCE_METRIC',
  'INITIAL_CAP',
  'BLOCK_SIZE',
  'M',
  'EF_CONSTRUCTION',
  'EF_RUNTIME',
  'RERANK',
  'COMPRESSION',
  'CONSTRUCTION_WINDOW_SIZE',
  'GRAPH_MAX_DEGREE',
  'SEARCH_WINDOW_SIZE',
  'EPSILON',
  'TRAINING_THRESHOLD',
  'REDUCE',
];

export function schemaArguments(command: string, schema: RediSearchSchema): unknown[] {
  const args: unknown[] = [];
  for (const [name, definitions] of Object.entries(schema))
    for (const definition of list(definitions) as SchemaFieldDefinition[]) {
      args.push(name);
      if (typeof definition === 'string') args.push(word(command, name, definition, TYPES));
      else pushField(args, command, name, definition);
    }
  return args;
}

function pushField(args: unknown[], command: string, name: string, field: AnyField): void {
  if (field.AS !== undefined) args.push('AS', field.AS);
  const type = word(command, name, field.type, TYPES);
  args.push(type);
  const given = field as unknown as Record<string, unknown>;
  if (field.type === 'VECTOR') {
    const parameters: unknown[] = [];
    for (const option of VECTOR_OPTIONS) {
      const value = given[option];
      if (value !== undefined)
        parameters.push(option, typeof value === 'boolean' ? String(value).toUpperCase() : value);
    }
    args.push(word(command, 'ALGORITHM', field.ALGORITHM, ALGORITHMS), parameters.length, ...parameters);
  }
  for (const option of FIELD_OPTIONS[type]) {
    const value = given[option];
    if (value === undefined || value === false) continue;
    args.push(option);
    if (option === 'SORTABLE') {
      if (value !== true) args.push(word(command, option, value, ['UNF']));
    } else if (value !== true) args.push(value);
  }
}
