import type { Fact } from '../../audit/facts/fact.js';
import { type Indicator, look } from './indicator.js';
import { payloadIn } from './payloads.js';
import type { HostScene, Scene } from './scene.js';

const miners = /^(?:kinsing|kdevtmpfsi|xmrig|xmr-stak|minerd|cnrig|watchbog|masscan|pnscan|zzh|newinit|redis2)/i;
const hiddenTemporary =
  /\/(?:\.X\d*-?(?:lock|unix)?\.?\w{4,}|\.ICE-unix\.\w+|kinsing|kdevtmpfsi|xmrig|\.font|\.rsync)/i;
/** What X servers leave there. */
const ordinaryTemporary = /\/\.(?:X\d+-lock|X11-unix|ICE-unix|XIM-unix|font-unix)$/;

/** A rule that lets nobody but this machine in: intruders keep others out. */
const closesToOthers = (rules: string, ports: readonly number[]): string[] =>
  rules
    .split('\n')
    .filter((line) => ports.some((port) => new RegExp(`dport (?:\\{[^}]*\\b)?${port}\\b`).test(line)))
    .filter((line) => /-j (?:DROP|REJECT)|\b(?:drop|reject)\b/.test(line) && !line.includes('redkeep'))
    .map((line) => `a packet filter rule closes the port: ${line.trim()}`);

const packetFilter = ({ machine }: Scene): Fact<string> => (machine.observed ? machine.value.packetFilter : machine);

const ancestors = ({ processes, serverPid }: HostScene): string[] =>
  processes
    .filter(({ parent, name }) => parent === serverPid && !/redis|valkey/i.test(name))
    .map(({ name, pid }) => `the server started the process ${name} (${pid})`);

export const hostIndicators: readonly Indicator[] = [
  {
    id: 'foothold',
    title: 'A foothold on the machine',
    innocent: "A crontab of the server's user that was made on purpose.",
    looks: [
      look(
        'host',
        ({ machine }) => machine,
        (machine) => [
          ...machine.footholds.flatMap(({ file, text, modifiedAt }) => {
            const payload = payloadIn(`\n${text}`);
            const ofServer = file.endsWith(`/${machine.user}`) && machine.user !== 'root';
            const preload = file === '/etc/ld.so.preload' && text.trim() !== '';
            if (payload?.kind === 'download-and-run') return [{ text: `${file}: ${payload.excerpt}`, at: modifiedAt }];
            if (ofServer) return [{ text: `${file}: the server's user has a crontab`, at: modifiedAt }];
            return preload ? [{ text: `${file} names a library`, at: modifiedAt }] : [];
          }),
          ...machine.rootAccounts
            .filter((name) => name !== 'root')
            .map((name) => `account ${name} has the rights of root`),
          ...machine.processes
            .filter(({ name }) => miners.test(name))
            .map(({ name, pid }) => `process ${name} (${pid})`),
          ...ancestors(machine),
          ...machine.temporaryNames
            .filter((name) => hiddenTemporary.test(name) && !ordinaryTemporary.test(name))
            .map((name) => `${name} exists`),
        ],
      ),
      look('host', packetFilter, (rules, { machine }) =>
        closesToOthers(rules, machine.observed ? machine.value.ports : []),
      ),
    ],
  },
];
