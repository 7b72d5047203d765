/** CLIENT INFO and CLIENT LIST: a line of `name=value` for each connection. */

export interface ClientInfoReply {
  id: number;
  addr: string;
  laddr?: string;
  fd: number;
  name: string;
  /** Seconds connected, and seconds without a command. */
  age: number;
  idle: number;
  flags: string;
  db: number;
  sub: number;
  psub: number;
  ssub?: number;
  multi: number;
  qbuf: number;
  qbufFree: number;
  argvMem?: number;
  multiMem?: number;
  obl: number;
  oll: number;
  omem: number;
  totMem?: number;
  events: string;
  cmd: string;
  user?: string;
  redir?: number;
  resp?: number;
  libName?: string;
  libVer?: string;
}

/** Field of the reply -> [name on the line, whether it is a number]. */
const FIELDS: Readonly<Record<keyof ClientInfoReply, readonly [name: string, numeric: boolean]>> = {
  id: ['id', true],
  addr: ['addr', false],
  laddr: ['laddr', false],
  fd: ['fd', true],
  name: ['name', false],
  age: ['age', true],
  idle: ['idle', true],
  flags: ['flags', false],
  db: ['db', true],
  sub: ['sub', true],
  psub: ['psub', true],
  ssub: ['ssub', true],
  multi: ['multi', true],
  qbuf: ['qbuf', true],
  qbufFree: ['qbuf-free', true],
  argvMem: ['argv-mem', true],
  multiMem: ['multi-mem', true],
  obl: ['obl', true],
  oll: ['oll', true],
  omem: ['omem', true],
  totMem: ['tot-mem', true],
  events: ['events', false],
  cmd: ['cmd', false],
  user: ['user', false],
  redir: ['redir', true],
  resp: ['resp', true],
  libName: ['lib-name', false],
  libVer: ['lib-ver', false],
};

/** Fields that the server does not send are absent. */
export function readClientInfo(line: string | Buffer | { toString(): string }): ClientInfoReply {
  const values = new Map<string, string>();
  for (const [, name, value] of String(line).matchAll(/([^\s=]+)=([^\s]*)/g)) values.set(name!, value!);
  const info: Record<string, string | number> = {};
  for (const [field, [name, numeric]] of Object.entries(FIELDS)) {
    const value = values.get(name);
    if (value !== undefined) info[field] = numeric ? Number(value) : value;
  }
  return info as unknown as ClientInfoReply;
}

export const readClientList = (reply: { toString(): string }): ClientInfoReply[] =>
  String(reply)
    .split('\n')
    .filter((line) => line !== '')
    .map(readClientInfo);
