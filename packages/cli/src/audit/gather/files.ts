import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Fact, observe, observed, unobserved } from '../facts/fact.js';
import type { FileFacts, KeyFileFacts, ServerFiles } from '../facts/facts.js';
import { certificateFacts, splitPem } from './certificate.js';
import { fileFacts, readAclFile, readConfigFile, resolveServerPath, settingsOf } from './config-file.js';

const dataFile = /\.(rdb|aof|manifest|log|dfs|conf)$/;

/** Reads what a setting points to; `null` when the server has no such file. */
function pointed<T>(
  path: string | undefined,
  from: string,
  read: (path: string) => Promise<T>,
): Promise<Fact<T | null>> {
  if (path === undefined || path === '') return Promise.resolve(observed(null, from));
  return observe(path, () => read(path));
}

async function keyFile(path: string): Promise<KeyFileFacts> {
  const facts = await fileFacts(path);
  const pem = await readFile(path, 'utf8');
  // An encrypted key cannot be opened here, and need not be: only whether two servers share one is asked.
  const fingerprint = /ENCRYPTED/.test(pem)
    ? createHash('sha256').update(pem).digest('base64')
    : createHash('sha256')
        .update(createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'der' }))
        .digest('base64');
  return { ...facts, fingerprint };
}

/** Private keys in the server's own key folder that belong to the authority it trusts. */
async function authorityKeys(keyPath: string, caPath: string): Promise<string[]> {
  const authorities = splitPem(await readFile(caPath, 'utf8')).map((pem) => spki(new X509Certificate(pem).publicKey));
  const folder = dirname(keyPath);
  const found: string[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (path === keyPath || !/\.(key|pem)$/.test(name)) continue;
    const text = await readFile(path, 'utf8').catch(() => '');
    if (!/PRIVATE KEY/.test(text) || /ENCRYPTED/.test(text)) continue;
    if (authorities.includes(spki(createPublicKey(createPrivateKey(text))))) found.push(path);
  }
  return found;
}

function spki(key: ReturnType<typeof createPublicKey>): string {
  return key.export({ type: 'spki', format: 'der' }).toString('base64');
}

async function dataFiles(directory: string, appendDirectory: string, logFile: string): Promise<FileFacts[]> {
  const within = async (folder: string): Promise<FileFacts[]> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    return Promise.all(
      entries
        .filter((entry) => entry.isFile() && dataFile.test(entry.name))
        .map((entry) => fileFacts(join(folder, entry.name))),
    );
  };
  const log =
    logFile === ''
      ? []
      : await fileFacts(logFile).then(
          (facts) => [facts],
          () => [],
        );
  const all = [...(await within(directory)), ...(await within(join(directory, appendDirectory))), ...log];
  return [...new Map(all.map((file) => [file.path, file])).values()].filter((file) => !file.path.endsWith('.conf'));
}

async function countCrossProtocol(logFile: string): Promise<{ crossProtocol: number }> {
  const text = await readFile(logFile, 'utf8');
  return { crossProtocol: text.split('Possible SECURITY ATTACK detected').length - 1 };
}

/** Where the server's files are said to be: by the running server, else by the configuration file. */
export interface FileHints {
  readonly configFile?: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly modules: readonly string[];
  /** Where this machine has a file that the server names. */
  readonly locate?: (path: string) => string;
}

/** Files of a server on this machine. Each part by itself, so that one unreadable file hides nothing else. */
export async function readServerFiles(hints: FileHints): Promise<ServerFiles> {
  const configuration: ServerFiles['config'] = hints.configFile
    ? await observe(hints.configFile, () => readConfigFile(hints.configFile!))
    : unobserved('the server was started without a configuration file, or its path is not known (--config FILE)');
  const settings = { ...(configuration.observed && settingsOf(configuration.value.directives)), ...hints.settings };
  const base = settings['dir'] || (hints.configFile ? dirname(hints.configFile) : '.');
  const locate = hints.locate ?? ((path: string) => path);
  const working = resolveServerPath(base, hints.configFile ? dirname(hints.configFile) : process.cwd());
  const directory = locate(working);
  const path = (name: string): string | undefined => {
    const value = settings[name];
    return value === undefined || value === '' ? undefined : locate(resolveServerPath(value, working));
  };
  const key = path('tls-key-file');
  const ca = path('tls-ca-cert-file');
  const log = path('logfile');
  const known = configuration.observed || Object.keys(hints.settings).length > 0;
  const orUnknown = <T>(fact: Fact<T | null>): Fact<T | null> =>
    known ? fact : unobserved('neither the running configuration nor the file could be read');
  return {
    config: configuration,
    acl: orUnknown(await pointed(path('aclfile'), 'aclfile', readAclFile)),
    certificate: orUnknown(
      await pointed(path('tls-cert-file'), 'tls-cert-file', async (file) => certificateFacts(await readFile(file))),
    ),
    key: orUnknown(await pointed(key, 'tls-key-file', keyFile)),
    caKeys:
      key && ca
        ? await observe(dirname(key), () => authorityKeys(key, ca))
        : unobserved('the server has no key or no CA file'),
    data: known
      ? await observe(directory, () => dataFiles(directory, settings['appenddirname'] ?? 'appendonlydir', log ?? ''))
      : unobserved('the data directory is not known'),
    directory: known
      ? await observe(directory, () => fileFacts(directory))
      : unobserved('the data directory is not known'),
    socket: orUnknown(await pointed(path('unixsocket'), 'unixsocket', fileFacts)),
    modules: await observe('module files', () => Promise.all(hints.modules.filter(Boolean).map(fileFacts))),
    log: log
      ? await observe(log, () => countCrossProtocol(log))
      : unobserved('the server logs to its standard output: look in the journal'),
  };
}
