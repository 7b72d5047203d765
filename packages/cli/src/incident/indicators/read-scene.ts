import { open, readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { type AclUser, parseAclUser } from '../../audit/facts/acl-user.js';
import { type Fact, NotObserved, observe, observed, unobserved } from '../../audit/facts/fact.js';
import { readConfigFile, settingsOf } from '../../audit/gather/config-file.js';
import { addressText } from '../../audit/gather/discover.js';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import * as live from '../../audit/gather/live.js';
import type { Session } from '../../audit/gather/node.js';
import { clientList } from '../../engine/client-list.js';
import { reasonOf } from '../evidence/collect.js';
import { endOfFile, textOfPlace } from '../evidence/host-artefacts.js';
import { type HostPaths, hostPathsOf, persistencePlaces } from '../evidence/host-paths.js';
import { tellingSettings } from '../evidence/server-artefacts.js';
import { attackKeys } from './attack-keys.js';
import { readPacketFilter } from './packet-filter.js';
import type {
  ArchiveScene,
  Connection,
  Expected,
  FileScene,
  HostScene,
  Library,
  LogLine,
  Scene,
  SlowCommand,
} from './scene.js';
import { searchValues } from './search-values.js';

export interface SceneOptions {
  readonly expected: Expected;
  /** At most this many keys are read; 0 for none. */
  readonly keys: number;
  readonly archive: Fact<ArchiveScene>;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** Looks at one server, its files and its machine. Only reads. */
export async function readScene(endpoint: Endpoint, session: Session, options: SceneOptions): Promise<Scene> {
  const { ask } = session;
  const asked = <T>(command: string, read: () => Promise<T>): Promise<Fact<T>> =>
    read().then(
      (value) => observed(value, command),
      (error: unknown) => unobserved(`${command}: ${reasonOf(error)}`),
    );
  const info = await asked('INFO', () => live.readInfo(ask));
  const paths = await observe<HostPaths>('the host', async () => hostPathsOf(ask, endpoint.host));
  const onHost = async <T>(from: string, read: (paths: HostPaths) => Promise<T>): Promise<Fact<T>> =>
    paths.observed ? observe(from, () => read(paths.value)) : unobserved(paths.reason);
  return {
    address: addressText(endpoint),
    host: endpoint.host,
    port: endpoint.port,
    observedAt: options.now().getTime(),
    expected: options.expected,
    info,
    settings: await asked('CONFIG GET', async () => ({ ...(await live.readSettings(ask)), ...(await telling(ask)) })),
    users: await asked('ACL LIST', () => live.readUsers(ask)),
    commands: await asked('COMMAND LIST', async () => strings(await ask('COMMAND', 'LIST'))),
    connections: await asked('CLIENT LIST', () => readConnections(ask)),
    aclLog: await asked('ACL LOG', () => live.readAclLog(ask)),
    slowLog: await asked('SLOWLOG GET', () => readSlowLog(ask)),
    modules: await asked('MODULE LIST', () => live.readModules(ask)),
    libraries: await asked('FUNCTION LIST', () => readLibraries(ask)),
    residue: await asked('EXISTS', async () => existing(ask)),
    values:
      options.keys === 0
        ? unobserved('values were not to be looked at (--keys 0)')
        : await asked('SCAN and reads', () => searchValues(ask, options.keys, options.signal)),
    log: await onHost('the log', readLog),
    files: await onHost('the files', readFiles),
    machine: await onHost('the machine', (found) => readMachine(found, endpoint.port)),
    archive: options.archive,
  };
}

function strings(reply: unknown): string[] {
  return (Array.isArray(reply) ? reply : reply instanceof Set ? [...reply] : []).map(String);
}

async function telling(ask: live.Ask): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of tellingSettings) Object.assign(found, live.record(await ask('CONFIG', 'GET', name)));
  return found;
}

async function existing(ask: live.Ask): Promise<string[]> {
  const found: string[] = [];
  for (const key of attackKeys) if (Number(await ask('EXISTS', key)) > 0) found.push(key);
  return found;
}

async function readConnections(ask: live.Ask): Promise<Connection[]> {
  const own = await ask('CLIENT', 'ID').then(String, () => '');
  return clientList(await ask('CLIENT', 'LIST')).map((fields) => {
    return {
      isOwn: fields['id'] === own,
      address: fields['addr'] ?? '',
      user: fields['user'] ?? 'default',
      name: fields['name'] ?? '',
      flags: fields['flags'] ?? '',
      ageSeconds: Number(fields['age'] ?? 0),
      lastCommand: fields['cmd'] ?? '',
    };
  });
}

async function readSlowLog(ask: live.Ask): Promise<SlowCommand[]> {
  const entries = await ask('SLOWLOG', 'GET', '128');
  return (Array.isArray(entries) ? entries : []).map((entry) => {
    const [, seconds, , words, address] = entry as readonly unknown[];
    return { at: Number(seconds) * 1000, words: strings(words), address: String(address ?? 'unknown') };
  });
}

async function readLibraries(ask: live.Ask): Promise<Library[]> {
  const reply = await ask('FUNCTION', 'LIST', 'WITHCODE');
  return (Array.isArray(reply) ? reply : []).map((entry) => {
    const fields = live.record(entry);
    return { name: fields['library_name'] ?? '', code: fields['library_code'] ?? '' };
  });
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `1234:M 28 Nov 2026 12:00:00.123 * text`, in the time zone of the server, which is this machine's. */
export function parseLogLine(line: string): LogLine {
  const [, day, month, year, hour, minute, second, milli, text] =
    /^\d+:\w (\d{1,2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2})\.(\d{3}) (.*)$/.exec(line) ?? [];
  if (text === undefined) return { text: line };
  const at = new Date(
    ...([year, months.indexOf(month!), day, hour, minute, second, milli].map(Number) as [number, number]),
  );
  return { at: at.getTime(), text: text.replace(/^[*#.-] /, '') };
}

async function readLog({ logFile }: HostPaths): Promise<LogLine[]> {
  if (!logFile) throw new NotObserved('the server logs to its standard output: look in the journal');
  return (await endOfFile(logFile)).split('\n').filter(Boolean).map(parseLogLine);
}

async function readFiles({ configFile, aclFile, dataFolder, modules }: HostPaths): Promise<FileScene> {
  const config = configFile ? await readConfigFile(configFile) : undefined;
  const directives = config?.directives ?? [];
  const lines = directives.filter(({ name }) => name === 'user').map(({ args }) => `user ${args.join(' ')}`);
  const aclText = aclFile ? await readFile(aclFile, 'utf8') : undefined;
  const userLines = aclText?.split('\n') ?? lines;
  const users = userLines.map((line) => parseAclUser(line)).filter((user): user is AclUser => user !== undefined);
  const file = aclFile ?? configFile;
  const names = await readdir(dataFolder, { withFileTypes: true });
  const beside = names.filter((entry) => entry.isFile()).map((entry) => path.join(dataFolder, entry.name));
  const described = await Promise.all(
    [...new Set(beside)].map(async (name) => ({
      file: name,
      isProgram: !modules.includes(name) && (await startsAsProgram(name)),
      modifiedAt: (await stat(name)).mtimeMs,
    })),
  );
  return {
    settings: settingsOf(directives),
    renamed: directives
      .filter(({ name }) => name === 'rename-command')
      .map(({ args }) => (args[0] ?? '').toLowerCase()),
    ...((aclFile || lines.length > 0) && { users }),
    ...(file && { usersWrittenAt: (await stat(file)).mtimeMs }),
    hasRequirePass: directives.some(({ name, args }) => name === 'requirepass' && Boolean(args[0])),
    beside: described,
  };
}

async function startsAsProgram(file: string): Promise<boolean> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (!handle) return false;
  try {
    const head = Buffer.alloc(4);
    await handle.read(head, 0, 4, 0);
    return head.equals(Buffer.from('\x7fELF', 'latin1'));
  } finally {
    await handle.close();
  }
}

async function readMachine({ home, user, pid }: HostPaths, port: number): Promise<HostScene> {
  if (process.platform !== 'linux') throw new NotObserved('the machine is read on Linux only');
  const found = await Promise.all(
    persistencePlaces(home, user).map(async (file) => {
      const text = await textOfPlace(file);
      return text === undefined ? [] : [{ file, text, modifiedAt: (await stat(file)).mtimeMs }];
    }),
  );
  const accounts = await readFile('/etc/passwd', 'utf8');
  const folders = await Promise.all(
    ['/tmp', '/var/tmp', '/dev/shm'].map(async (folder) =>
      (await readdir(folder).catch(() => [] as string[])).map((name) => `${folder}/${name}`),
    ),
  );
  return {
    user,
    footholds: found.flat(),
    rootAccounts: accounts
      .split('\n')
      .map((line) => line.split(':'))
      .filter((fields) => fields[2] === '0')
      .map(([name]) => name!),
    processes: await readProcesses(),
    serverPid: pid,
    temporaryNames: folders.flat(),
    packetFilter: await observe('packet filter', readPacketFilter),
    ports: [port],
  };
}

async function readProcesses(): Promise<HostScene['processes']> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/.exec(text) ?? [];
      return name === undefined ? [] : [{ pid, name, parent: Number(parent) }];
    }),
  );
  return found.flat();
}
