const typical =
  /^\s*(bind|port|tls-port|requirepass|aclfile|protected-mode|maxmemory|maxmemory-policy|appendonly|masterauth|masteruser|replicaof|slaveof|rename-command|cluster-enabled|sentinel|user|enable-debug-command|enable-module-command|loadmodule|save|unixsocket|include|daemonize|tls-(cert|key|ca-cert)-file|tls-auth-clients|notify-keyspace-events)\s+\S/gim;
const foreign =
  /^\s*(server|location|upstream|http|events|<VirtualHost|\[[\w.-]+\]|listen_addresses|shared_buffers|datadir|log_bin|persistence|listener|syntax)\b.*[{=>\]]?/im;

/** Whether a text is the configuration of a server of ours, not of nginx, PostgreSQL or another program. */
export function looksLikeServerConfig(text: string): boolean {
  const found = new Set([...text.matchAll(typical)].map(([, name]) => name!.toLowerCase()));
  if (found.size === 0) return false;
  const isOther = foreign.test(text) || /[{};]\s*$/m.test(text.replace(/^\s*#.*$/gm, ''));
  return found.size >= (isOther ? 4 : 1);
}
