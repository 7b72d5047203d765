/**
 * What servers say when they refuse a command: their own words, with %s and %d where they echo something. Collected from
 * Redis 7.0 and 8.0 and Valkey 8.0 to 9; a test finds each of them in a server. One a line; `ERR` is left out.
 */
export const SERVER_TEXTS = `
BUSY %s is busy running a module command.
BUSY %s is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.
BUSY %s is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.
BUSY Redis is busy running a module command.
BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.
BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.
BUSYGROUP Consumer Group name already exists
BUSYKEY Target key name already exists.
CLUSTERDOWN Hash slot not served
CLUSTERDOWN The cluster is down
CLUSTERDOWN The cluster is down and only accepts read commands
CROSSSLOT Keys in request don't hash to the same slot
DENIED Running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers, you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting from the same host the server is running, however MAKE SURE it's not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.
%d breakpoints set:
%s cannot contain spaces, newlines or special characters.
%s command not allowed. If the %s option is set to "local", you can run it from a local connection, otherwise you need to set this option in the configuration file, and then restart the server.
%s is not compatible with WITHDIST, WITHHASH and WITHCOORD options
(NULL string reply referenced in module)
* Stopped at %d, stop reason = %s
+OK %d usable Sentinels. Quorum and failover authorization can be reached
... (%d more arguments)
<debug> line %d: 
<value> replies are truncated at %d bytes.
<value> replies are unlimited.
A client can only redirect to a single other client
ACL GENPASS argument must be the number of bits for the output password, a positive number up to %d
AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
Active defragmentation cannot be enabled: it requires a server compiled with a modified Jemalloc like the one shipped by default with the source distribution
Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels
Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns
Allowing first-arg of a subcommand is not supported
An LFU maxmemory policy is not selected, access frequency not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
An LFU maxmemory policy is selected, idle time not tracked. Please note that when switching between policies at runtime LRU and LFU data will take some time to adjust.
Announced human node name contained invalid character
Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.
BGSAVE failed, replication can't continue
BITFIELD_RO only supports the GET subcommand
BITOP NOT must be called with a single source key.
BY option of SORT denied due to insufficient ACL permissions.
BY option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots.
Background append only file rewriting already in progress
Background save already in progress
Background saving is currently not in progress or scheduled
Bad data format
Bad directive or wrong number of arguments
Bad number of keys provided
Blocking module command called from a Reply callback context
CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.
CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.
CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled
CLIENT PAUSE mode must be WRITE or ALL
CLIENT UNBLOCK reason should be TIMEOUT or ERROR
CLUSTER RESET can't be called with master nodes containing keys
CONFIG SET failed (possibly related to argument '%s')
CONFIG SET failed (possibly related to argument '%s') - %s
CONFIG-REWRITE-FORCE-ALL failed: %s
COUNT can't be negative
COUNT must be > 0
COUNT value is not an integer
Can not execute a command '%s' while the cluster is down
Can not execute a script with write flag using *_ro command.
Can not execute a write command '%s' while the cluster is down and readonly
Can not execute the command on a stale replica
Can not run script on cluster, 'no-cluster' flag is set.
Can't assign hashslot %d to a different node while I still hold keys for this hash slot.
Can't execute '%s': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
Can't execute an AOF background rewriting. Please check the server logs for more information.
Can't forget my master!
Can't open the log file: %s
Can't replicate myself
Cannot free cluster link(s) to myself
Client reconfiguration script seems non existing or non executable
Clients undergoing module based authentication can only be blocked on auth
Command '%s' in script attempted to access keys that don't hash to the same slot
Command '%s' not found
Command arguments must be strings or integers
Command is not valid when client is a replica.
Command not allowed inside a transaction
Config name not found
Copying to another database is not allowed in cluster mode
DB index is out of range
DB must be empty to perform CLUSTER FLUSHSLOTS.
DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.
DISCARD without MULTI
DUMP payload version or checksum are wrong
Debug option only available for cluster mode enabled setup!
Duplicate argument '%s' to SENTINEL CONFIG SET
Duplicate user found. A user can only be defined once in config files
EXEC without MULTI
Elements are too large to be stored
Engine '%s' not found
Error compiling function: %s
Error compiling script (new function): %s
Error in ACL SETUSER modifier '%s': %s
Error in hard, soft or soft_seconds setting in buffer limit configuration.
Error loading ACLs, opening file '%s': %s
Error loading the extension. Please check the server logs.
Error purging dirty pages
Error registering functions: %s
Error running script %s, %s
Error running script, %s
Error trying to load the AOF files, check server logs.
Error trying to load the RDB dump, check server logs.
Error unloading module: %s
Errors trying to SHUTDOWN. Check logs.
FAILOVER already in progress.
FAILOVER is not valid when server is a replica.
FAILOVER not allowed in cluster mode. Use CLUSTER FAILOVER command instead.
FAILOVER requires connected replicas.
FAILOVER target HOST and PORT is not a replica.
FAILOVER target replica is not online.
FAILOVER timeout must be greater than 0
FAILOVER with force option requires both a timeout and target HOST and IP.
FUNCTION FLUSH only supports SYNC|ASYNC option
FUNCTION LOAD timeout
Failed creating the library
Failed loading library payload
Failed to bind to specified addresses.
Failed to save config file. Check server logs.
Failed to set current oom_score_adj. Check server logs.
File can't be a path, just a filename
Filtered replica requires EOF capability
First argument must be a number (log level).
Fork() failed: can't run EVAL in debugging mode: %s
Found a non-monotonic sequence number
Found an empty AOF manifest
Found duplicate base file information
Function %s already exists
Function already exists in the library
Function code is missing
Function not found
GET option of SORT denied due to insufficient ACL permissions.
GET option of SORT denied in Cluster mode when keys formed by the pattern may be in different slots.
GT and LT options at the same time are not compatible
GT, LT, and/or NX options at the same time are not compatible
HLL encoding is not sparse
Hostnames may only contain alphanumeric characters, hyphens or dots
Hostnames must be less than 
I can only replicate a master, not a replica.
I don't know about node %s
I tried hard but I can't forget myself...
INCR option supports a single increment-element pair
If you want both the length and indexes, please just use IDX.
Input dimension mismatch for projection - got %d but projection expects %d
Insufficient memory, failed allocating transient memory for LCS
Insufficient memory, failed allocating transient memory, COUNT too high.
Insufficient memory, failed allocating transient memory, too many args.
Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len
Invalid AOF manifest file format
Invalid CLUSTER SETSLOT action or number of arguments. Try CLUSTER HELP
Invalid FREQ value, must be >= 0 and <= 255
Invalid IDLE option argument for XCLAIM
Invalid IDLETIME value, must be >= 0
Invalid IP address or hostname specified
Invalid IPv4 address
Invalid IPv6 address
Invalid OVERFLOW type specified
Invalid RETRYCOUNT option argument for XCLAIM
Invalid TIME option argument for XCLAIM
Invalid TTL value, must be >= 0
Invalid argument '%s' for SENTINEL DEBUG '%s'
Invalid argument '%s' for SENTINEL SET '%s'
Invalid argument '%s' to SENTINEL CONFIG SET
Invalid argument:'%s'
Invalid arguments specified for command
Invalid base port specified: %s
Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.
Invalid bus port specified: %s
Invalid client ID
Invalid client class specified in buffer limit configuration.
Invalid command passed to server.acl_check_cmd()
Invalid command specified
Invalid config epoch specified: %d
Invalid engine in script shebang
Invalid event class character. Use 'Ag$lshzxeKEtmdn'.
Invalid latency-tracking-info-percentiles parameters
Invalid library metadata
Invalid locale name
Invalid log level.
Invalid master port
Invalid metadata value given: %s
Invalid metadata value, name argument was given multiple times
Invalid min-idle-time argument for XAUTOCLAIM
Invalid min-idle-time argument for XCLAIM
Invalid node address specified: %s:%s
Invalid number of arguments specified for command
Invalid oom-score-adj-values, elements must be between -2000 and 2000.
Invalid or out of range slot
Invalid port
Invalid primary port
Invalid quorum
Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.
Invalid save parameters
Invalid script shebang
Invalid slot
Invalid slot or number of keys
Invalid stream ID specified as stream command argument
Invalid value '%s' to SENTINEL CONFIG SET '%s'
LIMIT can't be negative
Library %s already exists
Library '%s' already exists
Library name was not given
Library names can only contain letters, numbers, or underscores(_) and must be at least one character long
Library not found
Limit has to lie in between 1 and 16384 (maximum number of slots).
MAXLEN can't be negative
MONITOR isn't allowed for DENY BLOCKING client
MOVE is not allowed in cluster mode
MULTI calls can not be nested
Master is down or failed, please use CLUSTER FAILOVER FORCE
Missing GROUP option for XREADGROUP
Missing argument '%s' value
Missing library metadata
Missing rdb-filter-only values
Missing timeout value
Module blocking client on auth when not currently undergoing module authentication
Module config specified without value
Multiple filters of the same type are disallowed.
NOSCORES option can only be used in ZSCAN
NOSUB '%s' command executed not in subscribed mode
NOVALUES option can only be used in HSCAN
NX and XX, GT or LT options at the same time are not compatible
No failover in progress.
No functions registered
No samples available for event '%s'
No shutdown in progress.
No such client
No such command in rename-command
No such master with that name
No such user '%s'
Node config epoch is already non-zero
Not a listpack encoded object.
Not a quicklist encoded object.
Not an sds encoded string.
Notification script seems non existing or non executable
Number of keys can't be greater than number of args
Number of keys can't be negative
OPTIN and OPTOUT are not compatible with BCAST
One or more scores can't be converted into double
Only HELLO messages are accepted by Sentinel instances.
Only SENTINEL CONFIG GET <param> [<param> <param> ...] / SET <param> <value> [<param> <value> ...] are supported.
Out of range database
PREFIX option requires BCAST mode to be enabled
PSUBSCRIBE isn't allowed for a DENY BLOCKING client
PSYNC FAILOVER can't be sent to a master.
PSYNC FAILOVER replid must match my replid.
Please specify at least one argument for this call
Please use EVAL instead of EVALSHA for debugging
Please use SETSLOT only with masters.
Pre-GA function format not supported
Prefix '%s' overlaps with an existing prefix '%s'. Prefixes for a single client must not overlap.
Prefix '%s' overlaps with another provided prefix '%s'. Prefixes for a single client must not overlap.
Protocol error: expected '$', got '%c'
Protocol error: invalid bulk length
Protocol error: invalid multibulk length
Protocol error: too big bulk count string
Protocol error: too big inline request
Protocol error: too big mbulk count string
Protocol error: unauthenticated bulk length
Protocol error: unauthenticated multibulk length
Protocol error: unbalanced quotes in request
Protocol version is not an integer or out of range
Quorum must be 1 or greater.
RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list
REPLCONF ip-address provided by replica instance is too long: %d bytes
REPLICAOF not allowed in cluster mode.
REPLICAOF not allowed while failing over.
RESP version must be 2 or 3.
RESP2 is not supported by this command
Read AOF manifest failed
Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig configuration directive in your Sentinel configuration
Replica %s asks for synchronization but with a wrong offset
Replica can't interact with the keyspace
Rewriting config file: %s
SCRIPT DEBUG must be called outside a pipeline
SCRIPT FLUSH only support SYNC|ASYNC option
SELECT is not allowed in cluster mode
SHUTDOWN without NOW or ABORT isn't allowed for DENY BLOCKING client
SSUBSCRIBE isn't allowed for a DENY BLOCKING client
SUBSCRIBE isn't allowed for a DENY BLOCKING client
SWAPDB is not allowed in cluster mode
SYNC and PSYNC are invalid with pending output
Script attempted to access a non local key in a cluster node
Script attempted to access a slot not served
Script attempted to access keys that do not hash to the same slot
Script attempted to execute a command while the cluster is down
Script attempted to execute a write command while the cluster is down and readonly
Script killed by user with FUNCTION KILL.
Script killed by user with SCRIPT KILL.
Slot %d is already busy
Slot %d is already unassigned
Slot %d specified multiple times
Slow system clocksource detected. This can result in degraded performance. Consider changing the system's clocksource. Current clocksource: %s. Available clocksources: %s. For example: run the command 'echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource' as root. To permanently change the system's clocksource you'll need to set the 'clocksource=' kernel command line parameter.
Start slot number %d is greater than end slot number %d
String too long for LCS
Syntax error
Syntax error in HELLO option '%s'
TESTFAILED Register %d should be %d but is %d
TESTFAILED Too big error. card:%d abserr:%d
TESTFAILED dense/sparse disagree
TESTFAILED sparse encoding not used
Target command name already exists
Target instance replied with error: %s
Target node is not a master
The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.
The 'default' user cannot be removed
The + ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would just return an empty result set.
The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.
The AOF manifest file contains too long line
The GROUP option is only supported by XREADGROUP. You called XREAD instead.
The ID specified in XADD is equal or smaller than the target stream top item
The ID specified in XADD must be greater than 0-0
The ID specified in XSETID is smaller than current max_deleted_entry_id
The ID specified in XSETID is smaller than the provided max_deleted_entry_id
The ID specified in XSETID is smaller than the target stream top item
The LIMIT argument must be >= 0.
The MAXLEN argument must be >= 0.
The NOACK option is only supported by XREADGROUP. You called XREAD instead.
The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use the MKSTREAM option to create an empty stream automatically.
The bit argument must be 1 or 0.
The client ID you want redirect to does not exist
The command has no key arguments
The entries_added specified in XSETID is smaller than the target stream length
The event loop API is not able to handle the specified number of clients
The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters
The password you are trying to remove from the user does not exist
The server is running without a config file
The specified key does not exist
The specified keys must contain string values
The specified node is not a master
The stream has exhausted the last possible ID, unable to add more items
The user can assign a config epoch only when the node does not know any other node.
The value stored at the specified key is not represented using an hash table
There was an error trying to save the ACLs. Please check the server logs for more information
This Redis command is not allowed from script
This instance has cluster support disabled
This instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a configuration file set) in order to store users in the configuration.
To set a master the node must be empty and without assigned slots.
Too many bind addresses specified.
Unable to execute command '%s' in script because undeclared keys were accessed during rehashing of the slot
Unable to listen on this port. Check server logs.
Unable to turn on AOF. Check server logs.
Unable to update TLS configuration. Check server logs.
Unbalanced '%s' list of streams: for each stream key an ID or '%c' must be specified.
Unbalanced quotes in configuration line
Unexpected engine in script shebang: %s
Unexpected flag in script shebang: %s
Unknown AOF file type
Unknown PFDEBUG subcommand '%s'
Unknown argument %s
Unknown category '%s'
Unknown client type '%s'
Unknown command called from script
Unknown command or category name in ACL
Unknown direction %s
Unknown error
Unknown failure simulation specified
Unknown georadius search type
Unknown lua shebang option: %s
Unknown node %s
Unknown option given: %s
Unknown option or number of arguments for CONFIG SET - '%s'
Unknown option or number of arguments for SENTINEL DEBUG '%s'
Unknown option or number of arguments for SENTINEL SET '%s'
Unmatched parenthesis in acl selector starting at '%s'.
Unrecognized RDB client id %d
Unrecognized REPLCONF option: %s
Unrecognized XCLAIM option '%s'
Unrecognized option '%s'
Unrecognized sort metric for ORDERBY.
Unrecognized version format: %s
Unsupported option %s
Unsupported rdb-filter-only option: %s
Use SCRIPT DEBUG YES/SYNC/NO
User %s has no permissions to access the '%s' channel
User %s has no permissions to access the '%s' key
User %s has no permissions to run the '%s' command
User '%s' not found
Usernames can't contain spaces or null characters
Vector dimension mismatch - got %d but set has %d
WAIT cannot be used with replica instances. Please also note that if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.
WAITAOF cannot be used when numlocal is set but appendonly is disabled.
WAITAOF cannot be used with replica instances. Please also note that writes to replicas are just local and are not propagated.
WATCH inside MULTI is not allowed
When using MIGRATE KEYS option, the key argument must be set to the empty string
Write command '%s' was called while write is not allowed.
Write commands are not allowed from read-only scripts.
Write error sending the PSYNC command.
Writing to master: %s
Wrong format
Wrong number of args calling command from script
Wrong number of arguments for the '%s' subcommand
Wrong number of arguments in buffer limit configuration.
Wrong protocol type name. Please use one of the following: string|integer|double|bignum|null|array|set|map|attrib|push|verbatim|true|false
Wrong restore policy given, value should be either FLUSH, APPEND or REPLACE.
XX and NX options at the same time are not compatible
You can't specify both OPTIN mode and OPTOUT mode
You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.
You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode.
You should send CLUSTER FAILOVER to a replica
appenddirname can't be a path, just a dirname
appenddirname can't be empty
appendfilename can't be a path, just a filename
appendfilename can't be empty
argument couldn't be parsed as an octal number
argument couldn't be parsed into an integer
argument must be 'yes' or 'no'
argument must be a memory or percent value
argument must be a memory value
argument must be a memory value bigger than 1 and smaller than 4gb
argument(s) must be one of the following: 
asked M value mismatch with existing vector set
asked quantization mismatch with existing vector set
at least 1 input key is needed for '%s' command
bit is not an integer or out of range
bit offset is not an integer or out of range
callback argument given to server.register_function must be a function
calling server.register_function with a single argument is only applicable to Lua table (representing named arguments).
can not read data type
can only reset normal client connections
cannot add projection to existing set without projection
client-id should be greater than 0
cluster-config-file can't be empty
command '%s' is not allowed on script mode
could not decode requested zset member
count should be greater than 0
count should be greater than or equal to -1
dbfilename can't be a path, just a filename
dbfilename can't be empty
decrement would overflow
description argument given to server.register_function must be a string
dir can't be empty
duplicate parameter
element not found in set
entries_added must be positive
error saving the cluster node config: %s
exactly one of BYRADIUS and BYBOX can be specified for %s
exactly one of FROMMEMBER or FROMLONLAT can be specified for %s
failed loading the given functions payload
failed to restart the server. Check server logs.
failed to set process title
first argument to server.register_function must be a string
flags argument to server.register_function must be a table representing function flags
function_name argument given to server.register_function must be a string
given type is not a function
hash value is not a float
hash value is not an integer
height or width cannot be negative
increment or decrement would overflow
increment would produce NaN or Infinity
index out of range
invalid COUNT
invalid EF
invalid EPSILON
invalid FILTER-EF
invalid cursor
invalid end ID for the interval
invalid expire time
invalid expire time in '%s' command
invalid first DB index
invalid longitude,latitude pair %d,%d
invalid option
invalid option after element
invalid second DB index
invalid start ID for the interval
invalid vector dimension
invalid vector specification
key does not exist
latency-tracking-info-percentiles parameters should sit between [0.0,100.0]
library name argument was not given
max client buffer reached
max number of clients + cluster connections reached
max number of clients reached
maxage is not an integer or out of range
maxage should be greater than 0
maxmemory-clients is disabled.
min or max is not a float
min or max not valid string range item
module key failed to copy
named argument key given to server.register_function is not a string
need numeric height
need numeric radius
need numeric width
no permission
no permission to access one of the channels used as arguments
no permission to execute the command or subcommand
no permission to touch the specified keys
no such key
no such module with that name
not supported for this module key
numkeys should be greater than 0
offset is out of range
operation not permitted
operation not possible.
protocol error
radius cannot be negative
reached lua stack limit
replicaof directive not allowed in cluster mode
resulting score is not a number (NaN)
script aborted for user request
second argument to server.register_function must be a function
sentinel announce-hostnames %s
sentinel announce-port %d
sentinel auth-pass %s %s
sentinel auth-user %s %s
sentinel client-reconfig-script %s %s
sentinel config-epoch %s %d
sentinel current-epoch %d
sentinel deny-scripts-reconfig %s
sentinel directive while not in sentinel mode
sentinel down-after-milliseconds %s %d
sentinel failover-timeout %s %d
sentinel known-replica %s %s %d
sentinel known-sentinel %s %s %d %s
sentinel leader-epoch %s %d
sentinel monitor %s %s %d %d
sentinel myid %s
sentinel notification-script %s %s
sentinel parallel-syncs %s %d
sentinel primary-reboot-down-after-period %s %d
sentinel rename-command %s %s %s
sentinel resolve-hostnames %s
sentinel sentinel-pass %s
sentinel sentinel-user %s
server.log() requires two arguments or more.
server.register_function can only be called on FUNCTION LOAD command
server.register_function must get a callback argument
server.register_function must get a function name argument
server.set_repl() requires one argument.
server.setresp() requires one argument.
shutdown options SAVE and NOSAVE can't be used simultaneously
source and destination objects are the same
start slot number %d is greater than end slot number %d
step over
string exceeds maximum allowed size (proto-max-bulk-len)
syntax error
syntax error in FILTER expression near: %s
syntax error in VSIM command
syntax error, LIMIT cannot be used without specifying a trimming strategy
syntax error, LIMIT cannot be used without the special ~ option
syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX
syntax error, MAXLEN and MINID options at the same time are not compatible
syntax error, WITHSCORES not supported in combination with BYLEX
syntax error, XTRIM must be called with a trimming strategy
template format is invalid or contains unknown variables
the ANY argument requires COUNT argument
the module exports APIs used by other modules. Please unload them first and try again
the module exports one or more module-side data types, can't unload
the module has blocked clients. Please wait for them to be unblocked and try again
the module holds timer that is not fired. Please stop the timer or wait until it fires.
the stream last element ID is 0-0
timeout during Lua debugging with client closing connection
timeout is negative
timeout is not a float or out of range
timeout is not an integer or out of range
timeout is out of range
timeout reached, infinite loop?
unable to create a Vector Set: system resources issue?
unknown argument given to server.register_function
unknown command '%s', with args beginning with: %s
unknown error
unknown flag given
unknown subcommand or wrong number of arguments for '%s'. Try %s HELP.
unknown type name '%s'
unknown type object
unsupported unit provided. please use M, KM, FT, MI
v=%s sha=%s:%d malloc=%s bits=%d build=%d
value for ENTRIESREAD must be positive or -1
value is NaN or Infinity
value is not a valid float
value is not an integer or out of range
value is out of range
value is out of range, must be positive
value is out of range, value must between %d and %d
vector type must be ELE, FP32 or VALUES
weight value is not a float
wrong number of arguments
wrong number of arguments for '%s' command
wrong number of arguments to server.register_function
wrong number or type of arguments
EXECABORT Transaction discarded because of previous errors.
EXECABORT Transaction discarded because of: %s
INPROG Failover already in progress
INVALIDOBJ Corrupted HLL object detected
IOERR error or timeout %s to target instance
IOERR error or timeout connecting to the client
LOADING %s is loading the dataset in memory
LOADING Redis is loading the dataset in memory
MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.
MASTERDOWN Link with MASTER is down, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script.
MISCONF %s is configured to persist data to AOF, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts. AOF error: %s
MISCONF %s is configured to save RDB snapshots, but it's currently
MISCONF %s is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the %s logs for details about the RDB error.
MISCONF %s is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts.
MISCONF Errors writing to the AOF file: %s
MISCONF Redis is configured to persist data to AOF, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts. AOF error: %s
MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Writable scripts are blocked. Use 'no-writes' flag for read only scripts.
NOAUTH Authentication required.
NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time
NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time
NOGOODSLAVE No suitable replica to promote
NOGROUP No such consumer group '%s' for key name '%s'
NOGROUP No such key '%s' or consumer group '%s' in XREADGROUP with GROUP option
NOGROUP the consumer group this client was blocked on no longer exists
NOMASTERLINK Can't SYNC while failing over
NOMASTERLINK Can't SYNC while not connected with my master
NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: %s
NOPERM this user has no permissions to access one of the channels used as arguments
NOPERM this user has no permissions to access one of the keys used as arguments
NOPERM this user has no permissions to run the '%s' command
NOPROTO unsupported protocol version
NOQUORUM %d usable Sentinels.
NOQUORUM %d usable Sentinels. 
NOREPLICAS Not enough good replicas to write.
NOSCRIPT No matching script.
NOSCRIPT No matching script. Please use EVAL.
NOTBUSY No scripts in execution right now.
OOM allow-oom flag is not set on the script, can not run it when used memory > 'maxmemory'
OOM command not allowed when used memory > 'maxmemory'.
OOM in dbExpand
OOM in dictTryExpand
OOM in dictTryExpand %d
OOM in hashtableTryExpand %d
READONLY Can not run script with write flag on readonly replica
READONLY You can't write against a read only replica.
TRYAGAIN Multiple keys request during rehashing of slot
UNBLOCKED client unblocked via CLIENT UNBLOCK
UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)
UNBLOCKED the stream key no longer exists
UNKILLABLE Sorry the script already executed write commands against the dataset. You can either wait the script termination or kill the server in a hard way using the SHUTDOWN NOSAVE command.
UNKILLABLE The busy script was sent by a master instance in the context of replication and cannot be killed.
WRONGPASS invalid internal password
WRONGPASS invalid username-password pair or user is disabled.
WRONGTYPE Key is not a valid HyperLogLog string value.
WRONGTYPE Operation against a key holding the wrong kind of value
DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Set up an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.
DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default user. In this mode connections are only accepted from the loopback interface. If you want to connect from external computers to Redis you may adopt one of the following solutions: 1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible from internet if you do so. Use CONFIG REWRITE to make this change permanent. 2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting the protected mode option to 'no', and then restarting the server. 3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. 4) Setup a an authentication password for the default user. NOTE: You only need to do one of the above things in order for the server to start accepting connections from the outside.
MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please check the Redis logs for details about the RDB error.
Active defragmentation cannot be enabled: it requires a Redis server compiled with a modified Jemalloc like the one shipped by default with the Redis source distribution
This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration.
No migrations ongoing
`;
