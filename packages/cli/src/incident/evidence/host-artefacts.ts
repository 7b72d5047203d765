import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readdir, readFile, readlink, stat } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { redactArguments, redactDirective } from '../../audit/evidence/redact.js';
import { parseDirectives } from '../../audit/gather/config-file.js';
import { type HostPaths, persistencePlaces } from './host-paths.js';
import type { Redactor } from './redactor.js';

/** There is nothing of this kind, which is not the same as not being able to read it. */
export class NothingThere extends Error {}

export interface HostArtefact {
  readonly id: string;
  /** Files and programs that it reads or runs; none of them changes anything. */
  readonly reads: readonly string[];
  read(paths: HostPaths, redactor: Redactor): Promise<string>;
}

const execute = promisify(execFile);
const programMs = 5000;
/** Of logs the end is kept. */
const logBytes = 4 * 1024 * 1024;
/** Larger files are listed without a hash. */
const hashedBytes = 2 ** 31;

async function output(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await execute(program, args, {
    timeout: programMs,
    maxBuffer: 32 * 1024 * 1024,
    env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`, LC_ALL: 'C' },
  });
  return stdout;
}

/** The end of a file that may be large. */
export async function endOfFile(file: string, bytes = logBytes): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(size, bytes));
    await handle.read(buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8');
  } finally {
    await handle.close();
  }
}

async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  return hash.digest('hex');
}

/** A line about a file: mode, owner, size, times, hash, and what its first bytes say it is. */
async function describeFile(file: string): Promise<string> {
  try {
    const { mode, uid, gid, size, mtime, ctime } = await stat(file);
    const handle = await open(file, 'r');
    const head = Buffer.alloc(8);
    try {
      await handle.read(head, 0, 8, 0);
    } finally {
      await handle.close();
    }
    const kind = head.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
    const digest = size <= hashedBytes ? await sha256OfFile(file) : 'not hashed: larger than 2 GiB';
    const rights = (mode & 0o7777).toString(8).padStart(4, '0');
    return `${rights} ${uid}:${gid} ${size} mtime=${mtime.toISOString()} ctime=${ctime.toISOString()} "${kind}" ${digest} ${file}`;
  } catch (error) {
    return `${file}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`;
  }
}

async function describeFolder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(folder, entry.name));
  return Promise.all(files.map(describeFile));
}

/** A crontab, or the files of a folder of them; undefined where there is none. */
export async function textOfPlace(place: string): Promise<string | undefined> {
  const found = await stat(place).catch(() => undefined);
  if (!found) return undefined;
  if (found.isFile()) return endOfFile(place).catch(() => undefined);
  const names = await readdir(place).catch(() => []);
  const parts = await Promise.all(
    names.map(async (name) => {
      const file = path.join(place, name);
      return `# ${file}\n${await endOfFile(file).catch(() => '')}`;
    }),
  );
  return parts.join('\n');
}

export const hostArtefacts: readonly HostArtefact[] = [
  {
    id: 'process',
    reads: ['/proc/PID/{status,cmdline,environ (names only),exe,cwd,maps (files),fd}'],
    async read({ pid }, redactor) {
      const of = (name: string) => readFile(`/proc/${pid}/${name}`, 'latin1').catch(() => '');
      const [status, cmdline, environ, maps] = await Promise.all([
        of('status'),
        of('cmdline'),
        of('environ'),
        of('maps'),
      ]);
      const link = (name: string) => readlink(`/proc/${pid}/${name}`).catch(() => 'unreadable');
      const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [] as string[]);
      const opened = await Promise.all(descriptors.map(async (fd) => `${fd} -> ${await link(`fd/${fd}`)}`));
      const mapped = [...new Set(maps.split('\n').flatMap((line) => /\s(\/.*)$/.exec(line)?.[1] ?? []))];
      const argv = cmdline.split('\0').filter(Boolean);
      return redactor.clean(
        [
          `exe ${await link('exe')}`,
          await describeFile(`/proc/${pid}/exe`),
          `cwd ${await link('cwd')}`,
          `arguments ${JSON.stringify(redactArguments(argv))}`,
          `environment (names) ${environ
            .split('\0')
            .map((variable) => variable.split('=')[0])
            .join(' ')}`,
          ...status.split('\n'),
          ...mapped.map((file) => `mapped ${file}`),
          ...opened.map((line) => `fd ${line}`),
          '',
        ].join('\n'),
      );
    },
  },
  {
    id: 'sockets',
    reads: ['ss -Htnp'],
    read: (_, redactor) => output('ss', '-Htanp').then((text) => redactor.clean(text)),
  },
  {
    id: 'processes',
    reads: ['ps -eo pid,ppid,user,lstart,comm (names, without arguments)'],
    read: (_, redactor) => output('ps', '-eo', 'pid,ppid,user,lstart,comm').then((text) => redactor.clean(text)),
  },
  {
    id: 'server-log',
    reads: ['the end of logfile'],
    async read({ logFile }, redactor) {
      if (!logFile) throw new NothingThere('the server logs to its standard output: see the journal');
      return redactor.clean(await endOfFile(logFile));
    },
  },
  {
    id: 'journal',
    reads: ['journalctl _PID=PID, the last 5000 lines'],
    async read({ pid }, redactor) {
      return redactor.clean(
        await output('journalctl', `_PID=${pid}`, '--no-pager', '-n', '5000', '-o', 'short-iso-precise'),
      );
    },
  },
  {
    id: 'configuration',
    reads: ['the configuration file, without passwords'],
    async read({ configFile }, redactor) {
      if (!configFile) throw new NothingThere('the server was started without a configuration file');
      const directives = parseDirectives(await readFile(configFile, 'utf8'), configFile);
      const lines = directives.map((directive) => {
        const { name, args } = redactDirective(directive);
        return `${directive.line}: ${name} ${args.join(' ')}`;
      });
      return redactor.clean(`${await describeFile(configFile)}\n${lines.join('\n')}\n`);
    },
  },
  {
    id: 'acl-file',
    reads: ['the ACL file, with stand-ins for passwords'],
    async read({ aclFile }, redactor) {
      if (!aclFile) throw new NothingThere('the server has no ACL file');
      const lines = (await readFile(aclFile, 'utf8')).split('\n').map((line) => redactor.aclLine(line));
      return `${await describeFile(aclFile)}\n${lines.join('\n')}\n`;
    },
  },
  {
    id: 'data-files',
    reads: ['names, times and hashes of the files in dir, appenddirname and of modules'],
    async read({ dataFolder, appendFolder, modules, dumpFile }) {
      const lines = [
        ...(await describeFolder(dataFolder)),
        ...(await describeFolder(appendFolder)),
        ...(await Promise.all([dumpFile, ...modules].map(describeFile))),
      ];
      return `${[...new Set(lines)].join('\n')}\n`;
    },
  },
  {
    id: 'footholds',
    reads: persistencePlaces('~', 'USER'),
    async read({ home, user }, redactor) {
      const parts = await Promise.all(
        persistencePlaces(home, user).map(async (place) => {
          const text = await textOfPlace(place);
          return text === undefined ? `== ${place}: not there` : `== ${place}\n${text}`;
        }),
      );
      return redactor.clean(`${parts.join('\n')}\n`);
    },
  },
  {
    id: 'accounts',
    reads: ['/etc/passwd', 'names in /tmp and /var/tmp'],
    async read() {
      const accounts = await readFile('/etc/passwd', 'utf8');
      const names = await Promise.all(
        ['/tmp', '/var/tmp', '/dev/shm'].map(async (folder) =>
          (await readdir(folder).catch(() => [] as string[])).map((name) => `${folder}/${name}`),
        ),
      );
      return `${accounts}\n${names.flat().join('\n')}\n`;
    },
  },
  {
    id: 'packet-filter',
    reads: ['nft list ruleset', 'iptables-save'],
    async read() {
      const nft = await output('nft', 'list', 'ruleset').catch((error: Error) => `nft: ${firstLine(error)}`);
      const iptables = await output('iptables-save').catch((error: Error) => `iptables-save: ${firstLine(error)}`);
      return `${nft}\n${iptables}\n`;
    },
  },
];

function firstLine({ message }: Error): string {
  return message.split('\n')[0] ?? '';
}

/** Texts of a server's files that are secrets: what nothing that is collected may hold. */
export async function secretsInFiles({ configFile, aclFile }: HostPaths): Promise<string[]> {
  const found: string[] = [];
  const config = configFile ? await readFile(configFile, 'utf8').catch(() => '') : '';
  for (const directive of parseDirectives(config, configFile ?? '')) {
    const { args } = redactDirective(directive);
    const hidden = directive.args.filter((argument, index) => argument !== args[index]);
    if (directive.name === 'user') found.push(...hidden.flatMap(passwordOfRule));
    else if (directive.name === 'sentinel') found.push(...hidden.slice(-1));
    else if (directive.name !== 'masteruser') found.push(...hidden);
  }
  const acl = aclFile ? await readFile(aclFile, 'utf8').catch(() => '') : '';
  found.push(...acl.split(/\s+/).flatMap(passwordOfRule));
  return found;
}

function passwordOfRule(rule: string): string[] {
  return /^[#>]/.test(rule) ? [rule.slice(1)] : [];
}
