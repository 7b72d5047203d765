import type { Decision, Deployment } from './model.js';

type Draft = Omit<Deployment, 'decisions'>;

/** The hardening choices made for a deployment, each with its reason and how to see that it holds. */
export function decisionsFor(deployment: Draft): Decision[] {
  const { policy, topology } = deployment;
  const decisions: (Decision | false)[] = [
    {
      id: 'D01',
      title: 'The default user is off',
      choice: 'Nobody is let in without a name; every program has a user of its own.',
      reason: 'An ACL file without a line for the default user leaves the server open, whatever requirepass says.',
      riskBefore: 'critical',
      riskAfter: 'none',
      proof: 'A fresh connection that sends PING gets NOAUTH (redkeep audit).',
    },
    {
      id: 'D02',
      title: 'TLS only',
      choice: `The plaintext port is 0. ${policy.tlsVersions.join(' and ')}, authenticated suites with forward secrecy.`,
      reason: 'Passwords and data cross the wire readable otherwise, also inside a data center.',
      riskBefore: 'high',
      riskAfter: 'none',
      proof: 'A plaintext client is refused; older versions fail in the handshake (redkeep audit).',
    },
    {
      id: 'D03',
      title: policy.exposure === 'loopback' ? 'Loopback only' : 'Named addresses only',
      choice: `Listens on ${[...new Set(deployment.nodes.flatMap(({ bind }) => bind))].join(', ')}; protected mode stays on.`,
      reason: 'Servers found open on the Internet were bound to all interfaces.',
      riskBefore: 'critical',
      riskAfter: policy.exposure === 'loopback' ? 'none' : 'low',
      proof: 'ss -ltnp shows these addresses and no other.',
    },
    {
      id: 'D04',
      title:
        policy.clientCertificates === 'required' ? 'Clients show a certificate' : 'Client certificates are optional',
      choice:
        policy.clientCertificates === 'required'
          ? 'A connection needs a certificate of the private CA as well as a password.'
          : 'The password alone is enough in development; a certificate shown is checked.',
      reason: 'Two proofs: a leaked password alone opens nothing, and flaws before authentication are out of reach.',
      riskBefore: 'medium',
      riskAfter: policy.clientCertificates === 'required' ? 'none' : 'low',
      proof: 'A client without a certificate fails in the handshake (redkeep audit).',
    },
    {
      id: 'D05',
      title: 'Least privilege by ACL, not by renaming commands',
      choice: 'Applications reach their own keys and no administrative, dangerous or scripting command.',
      reason: 'Renaming hides nothing from an administrator and breaks Sentinel and tools; ACL rules are enforced.',
      riskBefore: 'high',
      riskAfter: 'low',
      proof: 'redkeep acl test tries allowed and denied commands for every role on the running server.',
    },
    {
      id: 'D06',
      title: 'Passwords are made by redkeep',
      choice: '256 random bits each, in files of mode 0600 created exclusively; servers keep SHA-256 hashes.',
      reason: 'The hash is fast and unsalted: only a password that nobody can guess may stand behind it.',
      riskBefore: 'critical',
      riskAfter: 'low',
      proof: `ls -l secrets; due for rotation after ${policy.passwordDays} days.`,
    },
    {
      id: 'D07',
      title: 'A private CA',
      choice: `Certificates of ${policy.certificateDays} days, renewed at two thirds; the CA key is in authority/.`,
      reason:
        'A public CA vouches for anybody with a domain. The CA key signs every identity: no server needs it, so move it off the machine.',
      riskBefore: 'high',
      riskAfter: 'low',
      proof: 'redkeep certs check compares the files with what the servers show.',
    },
    {
      id: 'D08',
      title: 'Bounded memory and clients',
      choice: `${policy.memoryMegabytes} MB, ${policy.evictionPolicy}, ${policy.maxClients} clients, idle for ${policy.idleTimeoutSeconds} s at most.`,
      reason: 'One client can otherwise take the memory of the machine, even before it has logged in.',
      riskBefore: 'medium',
      riskAfter: 'low',
      proof: 'CONFIG GET maxmemory maxclients timeout client-output-buffer-limit.',
    },
    {
      id: 'D09',
      title: 'Data survives a restart',
      choice: `Append-only file (fsync ${policy.fsync}) and snapshots, in a folder for the server alone.`,
      reason: 'Sessions and counters lost in a restart log people out and reset limits.',
      riskBefore: 'medium',
      riskAfter: 'low',
      proof: 'Write a key, redkeep down, redkeep up, read it.',
    },
    {
      id: 'D10',
      title: 'Not even the administrator loads code or moves files',
      choice:
        'DEBUG, MODULE LOAD and protected settings (dir, dbfilename) are off at run time, where the engine has the switch.',
      reason: 'Writing files through CONFIG SET dir is the classic way from a stolen session to the machine.',
      riskBefore: 'high',
      riskAfter: 'none',
      proof: 'CONFIG SET dir answers with an error, also for admin.',
    },
    topology !== 'single' && {
      id: 'D11',
      title: 'Servers trust each other by name',
      choice: 'Replication, cluster bus and Sentinel run under TLS; replicas and Sentinel have users of their own.',
      reason: 'A replica gets the whole data set, and any client of Sentinel can decide where clients connect.',
      riskBefore: 'high',
      riskAfter: 'low',
      proof: 'redkeep acl explain replication; a Sentinel without a password answers NOAUTH.',
    },
  ];
  return decisions.filter((decision) => decision !== false);
}
