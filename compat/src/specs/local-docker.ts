/**
 * What node-redis's specs use of the program `docker`, with servers of this machine in place of containers: run, stop,
 * start, rm and exec. A container is a folder of REDKEEP_SPECS_FOLDER, named after its id, and one server process.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const CONTAINERS = process.env['REDKEEP_SPECS_FOLDER'] as string;
const SERVER = process.env['REDKEEP_SPECS_SERVER'] as string;
const TLS = '/redis/work/tls';
/** Options of `docker run` that take a value. */
const VALUED = new Set(['-e', '-v', '--network', '--name', '-p']);

const [verb, ...rest] = process.argv.slice(2);
const output = await run(verb ?? '', rest);
if (output !== undefined) process.stdout.write(output);

async function run(command: string, args: string[]): Promise<string | Buffer | undefined> {
  switch (command) {
    case 'run':
      return create(args);
    case 'start':
      launch(args[0] as string);
      return `${args[0]}\n`;
    case 'stop':
      await stop(args[0] as string, 'SIGTERM');
      return `${args[0]}\n`;
    case 'rm': {
      const id = args.at(-1) as string;
      await stop(id, 'SIGKILL');
      rmSync(join(CONTAINERS, id), { recursive: true, force: true });
      return `${id}\n`;
    }
    case 'exec':
      return execute(args[0] as string, args.slice(1));
    default:
      throw new Error(`docker ${command} is not offered`);
  }
}

async function create(args: string[]): Promise<string> {
  const environment: Record<string, string> = {};
  const mounts: string[] = [];
  let at = 0;
  for (; args[at]?.startsWith('-'); at++) {
    const option = args[at] as string;
    if (!VALUED.has(option)) continue;
    const value = args[++at] as string;
    if (option === '-e') environment[value.split('=')[0] as string] = value.slice(value.indexOf('=') + 1);
    if (option === '-v') mounts.push(value);
  }
  const image = args[at] as string;
  if (!image.startsWith('redislabs/client-libs-test:')) throw new Error(`no local stand-in for the image ${image}`);
  const id = randomBytes(8).toString('hex');
  const folder = join(CONTAINERS, id);
  mkdirSync(folder);
  const lines = [`dir ${folder}`];
  for (const mount of mounts) {
    const [from, to] = mount.split(':') as [string, string];
    if (to.endsWith('.conf')) copyFileSync(from, join(folder, 'server.conf'));
  }
  const sentinel = existsSync(join(folder, 'server.conf'));
  if (!sentinel) {
    lines.push(`port ${environment['PORT']}`, 'save ""', 'protected-mode no', 'repl-diskless-sync-delay 0');
    if (environment['TLS_ENABLED'] === 'yes') lines.push(...(await tlsLines(folder, environment)));
  }
  writeFileSync(join(folder, 'server.conf'), `${lines.join('\n')}\n`, { flag: 'a' });
  writeFileSync(join(folder, 'args.json'), JSON.stringify(sentinel ? ['--sentinel'] : args.slice(at + 1)));
  launch(id);
  return `${id}\n`;
}

async function tlsLines(folder: string, environment: Record<string, string>): Promise<string[]> {
  const name = environment['TLS_CLIENT_CNS'] ?? 'client';
  const { createAuthority } = await import('@redkeep/testing');
  const authority = await createAuthority('Specs CA');
  const server = await authority.issue({ commonName: 'localhost', names: ['localhost', '127.0.0.1', '::1'] });
  const client = await authority.issue({ commonName: name, usage: 'client' });
  const files = {
    'ca.crt': authority.cert,
    'redis.crt': server.cert,
    'redis.key': server.key,
    [`${name}.crt`]: client.cert,
    [`${name}.key`]: client.key,
  };
  for (const [file, pem] of Object.entries(files)) writeFileSync(join(folder, file), pem, { mode: 0o600 });
  const users = environment['TLS_CLIENT_CNS'] === undefined ? [] : ['tls-auth-clients-user CN'];
  return [
    `tls-port ${environment['TLS_PORT']}`,
    `tls-cert-file ${join(folder, 'redis.crt')}`,
    `tls-key-file ${join(folder, 'redis.key')}`,
    `tls-ca-cert-file ${join(folder, 'ca.crt')}`,
    ...users,
  ];
}

function launch(id: string): void {
  const folder = join(CONTAINERS, id);
  const args = JSON.parse(readFileSync(join(folder, 'args.json'), 'utf8')) as string[];
  const log = openSync(join(folder, 'server.log'), 'a', 0o600);
  const child = spawn(SERVER, [join(folder, 'server.conf'), ...args], {
    cwd: folder,
    detached: true,
    stdio: ['ignore', log, log],
  });
  writeFileSync(join(folder, 'pid'), String(child.pid));
  child.unref();
}

async function stop(id: string, signal: NodeJS.Signals): Promise<void> {
  const pid = pidOf(id);
  for (let tries = 0; pid !== undefined && isAlive(pid); tries++) {
    process.kill(pid, tries < 200 ? signal : 'SIGKILL');
    await setTimeout(25);
  }
}

function execute(id: string, args: string[]): Buffer | undefined {
  const file = (path: string) => join(CONTAINERS, id, path.slice(TLS.length + 1));
  if (args[0] === 'cat') return readFileSync(file(args[1] as string));
  if (args[0] === 'test') {
    if (!existsSync(file(args[2] as string))) process.exitCode = 1;
    return undefined;
  }
  const pid = pidOf(id);
  if (args.join(' ').includes('kill -SIGINT 1') && pid !== undefined && isAlive(pid)) {
    process.kill(pid, 'SIGINT');
    return undefined;
  }
  process.exitCode = 1;
  return undefined;
}

function pidOf(id: string): number | undefined {
  const file = join(CONTAINERS, id, 'pid');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
