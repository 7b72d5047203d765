/** What releases know, as their sources list it: the flags, commands and directives that a generated file may use. */

/** Flags of Dragonfly 1.22, 1.30 and 1.40 alike. */
export const dragonflyFlags = words(`
  P aclfile acllog_max_len admin_bind admin_nopass admin_port announce_port backing_file_direct bind
  break_replication_on_master_restart c cache_mode cluster_announce_ip cluster_mode cluster_node_id command
  compression_level compression_mode conn_io_thread_start conn_io_threads conn_use_incoming_cpu d dbfilename
  dbnum default_lua_flags df_snapshot_format dir enable_heartbeat_eviction epoll_file_threads
  experimental_flat_json expose_http_api force_epoll h hz info_replication_valkey_compatible
  interpreter_per_thread jsonpathv2 key_dist key_maximum key_minimum key_prefix key_stddev keys_output_limit
  list_compress_depth list_max_listpack_size lock_on_hashtags locktag_delimiter locktag_prefix
  locktag_skip_n_end_delimiters lua_allow_undeclared_auto_correct lua_auto_async lua_resp2_legacy_float
  lua_undeclared_keys_shas master_connect_timeout_ms master_reconnect_timeout_ms masterauth masteruser
  max_client_iobuf_len max_eviction_per_heartbeat max_multi_bulk_len max_segment_to_consider maxclients
  maxmemory mem_defrag_check_sec_interval mem_defrag_page_utilization_threshold mem_defrag_threshold
  mem_defrag_waste_threshold memcached_port migrate_connections multi_eval_squash_buffer multi_exec_squash n
  no_tls_on_admin_port notify_keyspace_events num_shards p pidfile pipeline pipeline_buffer_limit
  pipeline_queue_limit pipeline_squash port primary_port_http_enabled publish_buffer_limit qps ratio
  registered_buffer_size replica_announce_ip replica_partial_sync replica_priority replicaof
  replication_acks_interval replication_stream_output_limit replication_timeout request_cache_limit requirepass
  restricted_commands s3_ec2_metadata s3_endpoint s3_sign_payload s3_use_https save_schedule sds seed
  serialization_max_chunk_size shard_repl_backlog_len shard_round_robin_prefix
  slot_migration_connection_timeout_ms slowlog_log_slower_than slowlog_max_len snapshot_cron table_growth_margin
  tcp_backlog tcp_keepalive tcp_nodelay tcp_user_timeout tiered_experimental_cooling tiered_max_file_size
  tiered_offload_threshold tiered_prefix tls tls_ca_cert_dir tls_ca_cert_file tls_cert_file tls_key_file
  tls_replication tx_queue_warning_len type unixsocket unixsocketperm version_check zipf_alpha
`);

/** Commands that an ACL rule may name in Dragonfly 1.22, 1.30 and 1.40 alike. */
export const dragonflyCommands = words(`
  _xgroup_help acl addreplicaof append auth bgsave bitcount bitfield bitfield_ro bitop bitpos blmove blpop brpop
  brpoplpush bzpopmax bzpopmin client cluster command config dbsize debug decr decrby del dfly dflycluster
  dflymigrate discard dump echo eval evalsha exec exists expire expireat expiretime fieldttl flushall flushdb
  function geoadd geodist geohash geopos georadiusbymember geosearch get getbit getdel getex getrange getset
  hdel hello hexists hget hgetall hincrby hincrbyfloat hkeys hlen hmget hmset hrandfield hscan hset hsetex
  hsetnx hstrlen hvals incr incrby incrbyfloat info keys lastsave latency lindex linsert llen lmove lpop lpos
  lpush lpushx lrange lrem lset ltrim memory mget module monitor move mset msetnx multi persist pexpire
  pexpireat pexpiretime pfadd pfcount pfmerge ping prepend psetex psubscribe pttl publish pubsub punsubscribe
  quit randomkey readonly readwrite rename renamenx replconf replicaof repltakeover restore role rpop rpoplpush
  rpush rpushx sadd saddex save scan scard script sdiff sdiffstore select set setbit setex setnx setrange
  shutdown sinter sintercard sinterstore sismember slaveof slowlog smembers smismember smove sort spop
  srandmember srem sscan stick strlen subscribe substr sunion sunionstore time touch ttl type unlink unsubscribe
  unwatch watch xack xadd xautoclaim xclaim xdel xgroup xinfo xlen xpending xrange xread xreadgroup xrevrange
  xsetid xtrim zadd zcard zcount zdiff zincrby zinter zintercard zinterstore zlexcount zmscore zpopmax zpopmin
  zrandmember zrange zrangebylex zrangebyscore zrank zrem zremrangebylex zremrangebyrank zremrangebyscore
  zrevrange zrevrangebylex zrevrangebyscore zrevrank zscan zscore zunion zunionstore
`);

/** Directives of Redis 6.2, the oldest release. */
export const redis62Directives = words(`
  acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min
  active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower
  active-defrag-threshold-upper active-expire-effort activedefrag activerehashing always-show-logo
  aof-load-truncated aof-rewrite-incremental-fsync aof-use-rdb-preamble appendfilename appendfsync appendonly
  auto-aof-rewrite-min-size auto-aof-rewrite-percentage bind client-output-buffer-limit
  client-query-buffer-limit cluster-allow-reads-when-down cluster-allow-replica-migration
  cluster-announce-bus-port cluster-announce-ip cluster-announce-port cluster-announce-tls-port
  cluster-config-file cluster-enabled cluster-migration-barrier cluster-node-timeout cluster-replica-no-failover
  cluster-replica-validity-factor cluster-require-full-coverage cluster-slave-no-failover
  cluster-slave-validity-factor crash-log-enabled crash-memcheck-enabled daemonize databases dbfilename dir
  disable-thp dynamic-hz gopher-enabled hash-max-ziplist-entries hash-max-ziplist-value hll-sparse-max-bytes hz
  ignore-warnings include io-threads io-threads-do-reads jemalloc-bg-thread key-load-delay
  latency-monitor-threshold lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del
  lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor list-compress-depth
  list-max-ziplist-entries list-max-ziplist-size list-max-ziplist-value loadmodule logfile loglevel
  lua-replicate-commands lua-time-limit masterauth masteruser maxclients maxmemory maxmemory-eviction-tenacity
  maxmemory-policy maxmemory-samples min-replicas-max-lag min-replicas-to-write min-slaves-max-lag
  min-slaves-to-write no-appendfsync-on-rewrite notify-keyspace-events oom-score-adj oom-score-adj-values
  pidfile port proc-title-template protected-mode proto-max-bulk-len rdb-del-sync-files rdb-key-save-delay
  rdb-save-incremental-fsync rdbchecksum rdbcompression rename-command repl-backlog-size repl-backlog-ttl
  repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync repl-diskless-sync-delay
  repl-ping-replica-period repl-ping-slave-period repl-timeout replica-announce-ip replica-announce-port
  replica-announced replica-ignore-maxmemory replica-lazy-flush replica-priority replica-read-only
  replica-serve-stale-data replicaof requirepass sanitize-dump-payload save sentinel set-max-intset-entries
  set-proc-title slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority
  slave-read-only slave-serve-stale-data slaveof slowlog-log-slower-than slowlog-max-len
  stop-writes-on-bgsave-error stream-node-max-bytes stream-node-max-entries supervised syslog-enabled
  syslog-facility syslog-ident tcp-backlog tcp-keepalive timeout tls-auth-clients tls-ca-cert-dir
  tls-ca-cert-file tls-cert-file tls-ciphers tls-ciphersuites tls-client-cert-file tls-client-key-file
  tls-client-key-file-pass tls-cluster tls-dh-params-file tls-key-file tls-key-file-pass tls-port
  tls-prefer-server-ciphers tls-protocols tls-replication tls-session-cache-size tls-session-cache-timeout
  tls-session-caching tracking-table-max-keys unixsocket unixsocketperm use-exit-on-panic user
  zset-max-ziplist-entries zset-max-ziplist-value
`);

/** Directives of Valkey 7.2, the oldest release. */
export const valkey72Directives = words(`
  acl-pubsub-default aclfile acllog-max-len active-defrag-cycle-max active-defrag-cycle-min
  active-defrag-ignore-bytes active-defrag-max-scan-fields active-defrag-threshold-lower
  active-defrag-threshold-upper active-expire-effort activedefrag activerehashing always-show-logo
  aof-disable-auto-gc aof-load-truncated aof-rewrite-incremental-fsync aof-timestamp-enabled
  aof-use-rdb-preamble appenddirname appendfilename appendfsync appendonly auto-aof-rewrite-min-size
  auto-aof-rewrite-percentage bind bind-source-addr busy-reply-threshold client-default-resp
  client-output-buffer-limit client-query-buffer-limit cluster-allow-pubsubshard-when-down
  cluster-allow-reads-when-down cluster-allow-replica-migration cluster-announce-bus-port
  cluster-announce-hostname cluster-announce-human-nodename cluster-announce-ip cluster-announce-port
  cluster-announce-tls-port cluster-config-file cluster-enabled cluster-link-sendbuf-limit
  cluster-migration-barrier cluster-node-timeout cluster-ping-interval cluster-port
  cluster-preferred-endpoint-type cluster-replica-no-failover cluster-replica-validity-factor
  cluster-require-full-coverage cluster-slave-no-failover cluster-slave-validity-factor crash-log-enabled
  crash-memcheck-enabled daemonize databases dbfilename dir disable-thp dynamic-hz enable-debug-command
  enable-module-command enable-protected-configs hash-max-listpack-entries hash-max-listpack-value
  hash-max-ziplist-entries hash-max-ziplist-value hll-sparse-max-bytes hz ignore-warnings include io-threads
  io-threads-do-reads jemalloc-bg-thread key-load-delay latency-monitor-threshold latency-tracking
  latency-tracking-info-percentiles lazyfree-lazy-eviction lazyfree-lazy-expire lazyfree-lazy-server-del
  lazyfree-lazy-user-del lazyfree-lazy-user-flush lfu-decay-time lfu-log-factor list-compress-depth
  list-max-listpack-size list-max-ziplist-entries list-max-ziplist-size list-max-ziplist-value
  loading-process-events-interval-bytes loadmodule locale-collate logfile loglevel lua-time-limit masterauth
  masteruser maxclients maxmemory maxmemory-clients maxmemory-eviction-tenacity maxmemory-policy
  maxmemory-samples min-replicas-max-lag min-replicas-to-write min-slaves-max-lag min-slaves-to-write
  no-appendfsync-on-rewrite notify-keyspace-events oom-score-adj oom-score-adj-values pidfile port
  proc-title-template propagation-error-behavior protected-mode proto-max-bulk-len rdb-del-sync-files
  rdb-key-save-delay rdb-save-incremental-fsync rdbchecksum rdbcompression rename-command repl-backlog-size
  repl-backlog-ttl repl-disable-tcp-nodelay repl-diskless-load repl-diskless-sync repl-diskless-sync-delay
  repl-diskless-sync-max-replicas repl-ping-replica-period repl-ping-slave-period repl-timeout
  replica-announce-ip replica-announce-port replica-announced replica-ignore-disk-write-errors
  replica-ignore-maxmemory replica-lazy-flush replica-priority replica-read-only replica-serve-stale-data
  replicaof req-res-logfile requirepass sanitize-dump-payload save sentinel set-max-intset-entries
  set-max-listpack-entries set-max-listpack-value set-proc-title shutdown-on-sigint shutdown-on-sigterm
  shutdown-timeout slave-announce-ip slave-announce-port slave-ignore-maxmemory slave-lazy-flush slave-priority
  slave-read-only slave-serve-stale-data slaveof slowlog-log-slower-than slowlog-max-len socket-mark-id
  stop-writes-on-bgsave-error stream-node-max-bytes stream-node-max-entries supervised syslog-enabled
  syslog-facility syslog-ident tcp-backlog tcp-keepalive timeout tls-auth-clients tls-ca-cert-dir
  tls-ca-cert-file tls-cert-file tls-ciphers tls-ciphersuites tls-client-cert-file tls-client-key-file
  tls-client-key-file-pass tls-cluster tls-dh-params-file tls-key-file tls-key-file-pass tls-port
  tls-prefer-server-ciphers tls-protocols tls-replication tls-session-cache-size tls-session-cache-timeout
  tls-session-caching tracking-table-max-keys unixsocket unixsocketperm use-exit-on-panic user watchdog-period
  zset-max-listpack-entries zset-max-listpack-value zset-max-ziplist-entries zset-max-ziplist-value
`);

function words(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}
