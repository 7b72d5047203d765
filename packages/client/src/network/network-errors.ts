/**
 * Code of a NetworkError -> what an operator should do next. The system has more of them (`man 3 errno`);
 * those have the next step of REDKEEP_CONNECT_FAILED. `docs/errors.md` is tested against this table.
 */
export const NETWORK_ERRORS: Readonly<Record<string, string>> = {
  EACCES: 'This user may not open the Unix socket: check its owner and mode (`unixsocketperm`), or the firewall.',
  EADDRNOTAVAIL: 'No local port is free, or `socket.localAddress` is not an address of this machine.',
  EAI_AGAIN: 'The name server does not answer: check the network and /etc/resolv.conf.',
  ECONNREFUSED: 'Nothing listens there: check that the server runs, host and port, and `bind` in its configuration.',
  ECONNRESET: 'The server, a proxy or a firewall ended the connection: see the log of the server.',
  EHOSTUNREACH: 'No route leads to that host: check the address, routes and firewalls.',
  EMFILE: 'This process has no file descriptor left: raise its limit (`ulimit -n`), or open fewer connections.',
  ENETUNREACH: 'No route leads to that network: check the address and routes; for IPv6, set `socket.family: 4`.',
  ENOENT: 'The Unix socket does not exist: check `socket.path`, and `unixsocket` in the configuration of the server.',
  ENOTFOUND: 'The host name does not exist: check its spelling. Names of containers are known in their network only.',
  EPIPE: 'The server, a proxy or a firewall ended the connection: see the log of the server.',
  ETIMEDOUT:
    'Nothing answers: check the address, and firewalls and security groups, which often drop packets silently.',
};
