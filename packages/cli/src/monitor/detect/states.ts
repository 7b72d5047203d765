import { numberOf } from '../info.js';
import type { NodeSnapshot } from '../snapshot.js';
import { isForeign, unknownReplicas } from './detect.js';
import type { Expectations } from './expectations.js';

/**
 * What holds on a server now, as numbers that rules compare. A state that could not be looked at is absent, which is
 * neither good nor bad. `clients` is the last list there was, since not every round asks for one.
 */
export function nodeStates(
  snapshot: NodeSnapshot,
  clients: NodeSnapshot['clients'],
  expected: Expectations,
): Record<string, number> {
  const { info, certificate, node } = snapshot;
  const planned = expected.certificates.get(node.name);
  return defined({
    up: snapshot.up ? 1 : 0,
    certificate_seconds_left: certificate && Math.floor((certificate.notAfter.getTime() - snapshot.at) / 1000),
    certificate_trusted: certificate && Number(certificate.trusted),
    certificate_matches_file: certificate && planned && Number(certificate.fingerprint === planned),
    ...(info ? ofServer(snapshot, clients, expected) : {}),
  });
}

function ofServer(
  snapshot: NodeSnapshot,
  clients: NodeSnapshot['clients'],
  expected: Expectations,
): Record<string, number | string | undefined | false> {
  const info = snapshot.info!;
  const { fields } = info;
  const limit = numberOf(info, 'maxmemory');
  const used = numberOf(info, 'used_memory');
  const others = clients?.filter(({ type }) => type !== 'primary');
  const port = numberOf(info, 'tcp_port');
  const sentinel = fields.get('redis_mode') === 'sentinel';
  return {
    foreign_primary: Number(isForeign(snapshot, expected)),
    unknown_replicas: unknownReplicas({ ...snapshot, ...(clients && { clients }) }, expected),
    plaintext_clients:
      expected.tlsOnly && others?.filter(({ localPort }) => localPort !== 0 && localPort !== snapshot.node.port).length,
    // INFO shows the plaintext port where there is one, else the TLS port.
    plaintext_port_open:
      expected.tlsOnly && !sentinel && port !== undefined && Number(port !== snapshot.node.port && port !== 0),
    // A connection is `default` until it has logged in, so that name says nothing here.
    unknown_users:
      expected.users && others?.filter(({ user }) => user !== 'default' && !expected.users!.has(user)).length,
    monitor_clients: others?.filter(({ type }) => type === 'monitor').length,
    memory_used_ratio: limit && used !== undefined && used / limit,
    primary_link_up: fields.get('role') === 'slave' && Number(fields.get('master_link_status') === 'up'),
    cluster_ok: snapshot.clusterInfo && Number(snapshot.clusterInfo.fields.get('cluster_state') === 'ok'),
    saves_ok:
      !sentinel &&
      fields.has('rdb_last_bgsave_status') &&
      Number(fields.get('rdb_last_bgsave_status') === 'ok' && fields.get('aof_last_write_status') !== 'err'),
    sentinel_primary_ok: sentinel && Number(/status=ok/.test(fields.get('master0') ?? '')),
  };
}

function defined(states: Readonly<Record<string, number | string | undefined | false>>): Record<string, number> {
  const entries = Object.entries(states).filter((entry): entry is [string, number] => typeof entry[1] === 'number');
  return Object.fromEntries(entries);
}
