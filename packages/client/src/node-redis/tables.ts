/** Constants that node-redis exports by name, with its values. */
export { AR_OPERATIONS, AR_PREDICATE_COMBINATORS, AR_PREDICATE_TYPES } from '../commands/arrays.js';
export {
  CLIENT_KILL_FILTERS,
  CLIENT_UNBLOCK_MODES,
  CLUSTER_SLOT_STATES,
  COMMAND_LIST_FILTER_BY,
  FAILOVER_MODES,
  REDIS_FLUSH_MODES,
} from '../commands/constants.js';
export { GEO_REPLY_WITH } from '../commands/geo.js';
export { FT_AGGREGATE_GROUP_BY_REDUCERS, FT_AGGREGATE_STEPS } from '../commands/search/aggregate.js';
export { REDISEARCH_LANGUAGE } from '../commands/search/query.js';
export {
  SCHEMA_FIELD_TYPE,
  SCHEMA_TEXT_FIELD_PHONETIC,
  SCHEMA_VECTOR_FIELD_ALGORITHM,
} from '../commands/search/schema.js';
export {
  TIME_SERIES_AGGREGATION_TYPE,
  TIME_SERIES_BUCKET_TIMESTAMP,
  TIME_SERIES_DUPLICATE_POLICIES,
  TIME_SERIES_ENCODING,
  TIME_SERIES_REDUCERS,
  TS_READ_TIMESTAMP,
} from '../commands/time-series/options.js';
