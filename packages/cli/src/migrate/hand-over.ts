import { adminUser, replicationUser } from './access.js';
import type { Migration } from './migration.js';

/** What each client library has to be given, as lines to copy. No password is in them: they name the file. */
export function handOverLines(migration: Migration): string[] {
  const primary = migration.plan.nodes.find(({ role }) => role === 'primary')!;
  const ca = migration.file('pki', 'ca.crt');
  const users = migration.plan.users.filter(({ name }) => name !== adminUser && name !== replicationUser);
  const host = primary.host;
  const port = primary.tlsPort;
  return users.flatMap(({ name, passwordFile }) => [
    `User ${name}, password in ${migration.file(passwordFile)}, CA in ${ca} (copy it; it is not secret).`,
    '',
    `Redkeep     REDIS_URL=rediss://${host}:${port} REDIS_USERNAME=${name} REDIS_PASSWORD_FILE=… REDIS_TLS_CA_FILE=ca.crt`,
    `node-redis  createClient({ url: 'rediss://${host}:${port}', username: '${name}', password, socket: { tls: true, ca: readFileSync('ca.crt') } })`,
    `ioredis     new Redis({ host: '${host}', port: ${port}, username: '${name}', password, tls: { ca: readFileSync('ca.crt') } })`,
    `go-redis    redis.NewClient(&redis.Options{Addr: "${host}:${port}", Username: "${name}", Password: password, TLSConfig: &tls.Config{RootCAs: pool}})`,
    `redis-py    redis.Redis(host='${host}', port=${port}, username='${name}', password=password, ssl=True, ssl_ca_certs='ca.crt')`,
    `Lettuce     RedisURI.builder().withHost("${host}").withPort(${port}).withSsl(true).withAuthentication("${name}", password)`,
    `Jedis       new JedisPooled(new HostAndPort("${host}", ${port}), DefaultJedisClientConfig.builder().ssl(true).user("${name}").password(password).build())`,
    `redis-cli   REDISCLI_AUTH="$(cat FILE)" redis-cli -h ${host} -p ${port} --tls --cacert ca.crt --user ${name}`,
    '',
  ]);
}
