/** FT.INFO. https://redis.io/docs/latest/commands/ft.info/ */
import type { BlobString, Double, FieldsOf, Integer, MapOf, SimpleString } from '../../protocol/types.js';
import { doubleShape, listOf, pairs, record, resp2 } from '../shapes.js';

export type FtInfoReply = FieldsOf<{
  index_name: SimpleString;
  index_options: SimpleString[];
  index_definition: MapOf<SimpleString, SimpleString>;
  attributes: MapOf<SimpleString, SimpleString>[];
  num_docs: Integer;
  max_doc_id: Integer;
  num_terms: Integer;
  num_records: Integer;
  inverted_sz_mb: Double;
  vector_index_sz_mb: Double;
  total_inverted_index_blocks: Integer;
  offset_vectors_sz_mb: Double;
  doc_table_size_mb: Double;
  sortable_values_size_mb: Double;
  key_table_size_mb: Double;
  tag_overhead_sz_mb: Double;
  text_overhead_sz_mb: Double;
  total_index_memory_sz_mb: Double;
  geoshapes_sz_mb: Double;
  records_per_doc_avg: Double;
  bytes_per_record_avg: Double;
  offsets_per_term_avg: Double;
  offset_bits_per_record_avg: Double;
  hash_indexing_failures: Integer;
  total_indexing_time: Double;
  indexing: Integer;
  percent_indexed: Double;
  number_of_uses: Integer;
  cleaning: Integer;
  gc_stats: FieldsOf<{
    bytes_collected: Double;
    total_ms_run: Double;
    total_cycles: Double;
    average_cycle_time_ms: Double;
    last_run_time_ms: Double;
    gc_numeric_trees_missed: Double;
    gc_blocks_denied: Double;
  }>;
  cursor_stats: FieldsOf<{
    global_idle: Integer;
    global_total: Integer;
    index_capacity: Integer;
    index_total: Integer;
  }>;
  stopwords_list?: BlobString[] | [null];
}>;

const DOUBLES = /_mb$|_avg$|^total_indexing_time$|^percent_indexed$/;
const fields = {
  index_definition: record(),
  attributes: listOf(record()),
  gc_stats: pairs(() => doubleShape),
  cursor_stats: record(),
};
export const readInfo = resp2(
  pairs((name) =>
    Object.hasOwn(fields, name) ? fields[name as keyof typeof fields] : DOUBLES.test(name) ? doubleShape : undefined,
  ),
);
