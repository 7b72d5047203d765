import { basename } from 'node:path';

/** Directives that no other program's configuration has. */
const own =
  /^\s*"?(tls-port|requirepass|aclfile|protected-mode|maxmemory(-\w+)?|appendonly|appendfsync|masterauth|masteruser|replicaof|slaveof|rename-command|cluster-(enabled|config-file)|sentinel\s+\S+|enable-(debug|module|protected)-\w+|loadmodule|unixsocketperm|tls-(cert|key|ca-cert)-file|tls-auth-clients|tls-replication|notify-keyspace-events|rdbchecksum|dbfilename|tcp-keepalive|acllog-max-len|user\s+\S+\s+([>#<!~%&+(-]\S*|on|off|nopass|reset\w*|all\w+))"?(\s|$)/im;
/** Directives that others have too. */
const shared = /^\s*"?(bind|port|save|daemonize|timeout|include|logfile|loglevel|dir|databases|supervised)"?\s+\S/gim;
/** Other directives, in a file whose name already says whose it is. */
const settings =
  /^\s*"?(lua-time-limit|busy-reply-threshold|client-(output|query)-buffer-limit|sanitize-dump-payload|maxclients|latency-\S+|slowlog-\S+|repl\w*-\S+|min-(replicas|slaves)-\S+|acl-\S+|tls-\S+|stop-writes-on-bgsave-error|hide-user-data-from-log|proto-\S+|unixsocket|syslog-\S+)"?\s+\S/im;
/** Forms that the engines' files do not have: sections, assignments, braces, statements. */
const otherForms = /^\s*(\[[^\]]+\]|[\w.]+\s*=|[\w-]+\s*\{|<\w+)|[;{]\s*$/m;

/** Whether a text is the configuration or ACL file of a server, not of nginx, PHP, PostgreSQL or another program. */
export function looksLikeServerConfig(text: string, file = ''): boolean {
  const lines = text.replace(/^\s*#.*$/gm, '');
  const names = new Set([...lines.matchAll(shared)].map(([, name]) => name!.toLowerCase()));
  if (
    /^(redis|valkey|keydb|sentinel)[\w.-]*\.conf$/i.test(basename(file)) &&
    (own.test(lines) || names.size > 0 || settings.test(lines))
  )
    return true;
  return !otherForms.test(lines) && (own.test(lines) || names.size >= 3);
}
