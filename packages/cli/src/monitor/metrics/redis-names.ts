/**
 * Names under which dashboards made for redis_exporter find what INFO says, so that they go on answering. A field that
 * is listed under its own name is published as `redis_` and that name.
 */
export const gaugeNames: Readonly<Record<string, string>> = {
  ...same(
    'uptime_in_seconds process_id io_threads_active connected_clients blocked_clients tracking_clients clients_in_timeout_table',
    'pubsub_clients watching_clients total_watched_keys total_blocking_keys total_blocking_keys_on_nokey',
    'allocator_frag_ratio allocator_rss_ratio number_of_cached_scripts number_of_functions number_of_libraries',
    'mem_fragmentation_ratio mem_fragmentation_bytes mem_clients_slaves mem_clients_normal lazyfree_pending_objects',
    'lazyfreed_objects active_defrag_running async_loading rdb_changes_since_last_save rdb_bgsave_in_progress',
    'rdb_last_bgsave_status aof_enabled aof_rewrite_in_progress aof_rewrite_scheduled aof_pending_rewrite',
    'aof_buffer_length aof_rewrite_buffer_length aof_pending_bio_fsync aof_delayed_fsync aof_last_bgrewrite_status',
    'aof_last_write_status module_fork_in_progress module_fork_last_cow_size pubsub_channels pubsub_patterns',
    'pubsubshard_channels tracking_total_keys tracking_total_items tracking_total_prefixes',
    'instantaneous_eventloop_cycles_per_sec instantaneous_eventloop_duration_usec connected_slaves',
    'repl_backlog_first_byte_offset master_repl_offset second_repl_offset slave_expires_tracked_keys slave_priority',
    'cluster_enabled hz configured_hz allocator_frag_bytes allocator_rss_bytes',
  ),
  ...bytes(
    'client_recent_max_output_buffer client_recent_max_input_buffer allocator_active allocator_allocated',
    'allocator_resident allocator_muzzy mem_cluster_links mem_aof_buffer mem_replication_backlog',
    'mem_total_replication_buffers mem_overhead_db_hashtable_rehashing rdb_last_cow_size aof_last_cow_size',
    'aof_current_size aof_base_size total_system_memory',
  ),
  maxclients: 'max_clients',
  used_memory: 'memory_used_bytes',
  used_memory_rss: 'memory_used_rss_bytes',
  used_memory_peak: 'memory_used_peak_bytes',
  used_memory_lua: 'memory_used_lua_bytes',
  used_memory_vm_eval: 'memory_used_vm_eval_bytes',
  used_memory_scripts_eval: 'memory_used_scripts_eval_bytes',
  used_memory_overhead: 'memory_used_overhead_bytes',
  used_memory_startup: 'memory_used_startup_bytes',
  used_memory_dataset: 'memory_used_dataset_bytes',
  used_memory_vm_functions: 'memory_used_vm_functions_bytes',
  used_memory_scripts: 'memory_used_scripts_bytes',
  used_memory_functions: 'memory_used_functions_bytes',
  used_memory_vm_total: 'memory_used_vm_total',
  maxmemory: 'memory_max_bytes',
  mem_not_counted_for_evict: 'mem_not_counted_for_eviction_bytes',
  expired_stale_perc: 'expired_stale_percentage',
  migrate_cached_sockets: 'migrate_cached_sockets_total',
  active_defrag_hits: 'defrag_hits',
  active_defrag_misses: 'defrag_misses',
  active_defrag_key_hits: 'defrag_key_hits',
  active_defrag_key_misses: 'defrag_key_misses',
  loading: 'loading_dump_file',
  rdb_last_save_time: 'rdb_last_save_timestamp_seconds',
  rdb_last_bgsave_time_sec: 'rdb_last_bgsave_duration_sec',
  rdb_current_bgsave_time_sec: 'rdb_current_bgsave_duration_sec',
  rdb_saves: 'rdb_saves_total',
  rdb_last_load_keys_expired: 'rdb_last_load_expired_keys',
  rdb_last_load_keys_loaded: 'rdb_last_load_loaded_keys',
  aof_last_rewrite_time_sec: 'aof_last_rewrite_duration_sec',
  aof_current_rewrite_time_sec: 'aof_current_rewrite_duration_sec',
  current_eviction_exceeded_time: 'current_eviction_exceeded_time_ms',
  repl_backlog_size: 'replication_backlog_bytes',
  repl_backlog_active: 'repl_backlog_is_active',
  repl_backlog_histlen: 'repl_backlog_history_bytes',
  sync_full: 'replica_resyncs_full',
  sync_partial_ok: 'replica_partial_resync_accepted',
  sync_partial_err: 'replica_partial_resync_denied',
  cluster_stats_messages_sent: 'cluster_messages_sent_total',
  cluster_stats_messages_received: 'cluster_messages_received_total',
};

export const counterNames: Readonly<Record<string, string>> = {
  ...same(
    'unexpected_error_replies total_error_replies dump_payload_sanitizations total_reads_processed',
    'total_writes_processed io_threaded_reads_processed io_threaded_writes_processed',
  ),
  ...totals(
    'rejected_connections expired_subkeys expired_keys evicted_keys evicted_clients evicted_scripts keyspace_hits',
    'keyspace_misses eventloop_cycles client_query_buffer_limit_disconnections',
    'client_output_buffer_limit_disconnections reply_buffer_shrinks reply_buffer_expands acl_access_denied_auth',
    'acl_access_denied_cmd acl_access_denied_key acl_access_denied_channel',
  ),
  total_connections_received: 'connections_received_total',
  total_commands_processed: 'commands_processed_total',
  total_net_input_bytes: 'net_input_bytes_total',
  total_net_output_bytes: 'net_output_bytes_total',
  total_net_repl_input_bytes: 'net_repl_input_bytes_total',
  total_net_repl_output_bytes: 'net_repl_output_bytes_total',
  expired_time_cap_reached_count: 'expired_time_cap_reached_total',
  expire_cycle_cpu_milliseconds: 'expire_cycle_cpu_time_ms_total',
  total_eviction_exceeded_time: 'eviction_exceeded_time_ms_total',
  eventloop_duration_sum: 'eventloop_duration_sum_usec_total',
  eventloop_duration_cmd_sum: 'eventloop_duration_cmd_sum_usec_total',
  used_cpu_sys: 'cpu_sys_seconds_total',
  used_cpu_user: 'cpu_user_seconds_total',
  used_cpu_sys_children: 'cpu_sys_children_seconds_total',
  used_cpu_user_children: 'cpu_user_children_seconds_total',
  used_cpu_sys_main_thread: 'cpu_sys_main_thread_seconds_total',
  used_cpu_user_main_thread: 'cpu_user_main_thread_seconds_total',
  used_active_time_main_thread: 'active_time_main_thread_seconds_total',
};

function same(...lists: string[]): Record<string, string> {
  return named(lists, (field) => field);
}

function bytes(...lists: string[]): Record<string, string> {
  return named(lists, (field) => `${field}_bytes`);
}

function totals(...lists: string[]): Record<string, string> {
  return named(lists, (field) => `${field}_total`);
}

function named(lists: readonly string[], name: (field: string) => string): Record<string, string> {
  return Object.fromEntries(lists.flatMap((list) => list.split(' ')).map((field) => [field, name(field)]));
}
