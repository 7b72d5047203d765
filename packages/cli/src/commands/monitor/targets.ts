import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Endpoint } from '../../audit/gather/endpoint.js';
import type { Context } from '../../context.js';
import { loadDeployment } from '../../deployment/state.js';
import { CliError } from '../../errors.js';
import type { WatchedDeployment } from '../../monitor/monitor.js';
import {
  answerMs,
  type WatchedServer,
  type WatchOptions,
  watchDeployment,
  watchServers,
} from '../../monitor/watched-deployment.js';

export interface TargetOptions {
  readonly dir?: readonly string[];
  readonly user?: string;
  readonly passwordFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * What is watched: servers by their URL, else deployments by their folders. The variables of redis_exporter
 * (REDIS_ADDR, REDIS_USER, REDIS_PASSWORD_FILE) name a server as well.
 */
export async function resolveTargets(
  context: Context,
  urls: readonly string[],
  options: TargetOptions,
  watch: WatchOptions,
): Promise<WatchedDeployment[]> {
  const { env } = context;
  const named = urls.length > 0 ? urls : (env['REDIS_ADDR']?.split(',') ?? []);
  if (named.length > 0 && options.dir === undefined) {
    const servers = named.map((url) => serverOf(context, url, options));
    // A file that cannot be read is reported now and not as a server that is down.
    for (const { read } of servers) await read();
    return [watchServers('servers', servers, watch)];
  }
  const folders = options.dir ?? [undefined];
  return Promise.all(
    folders.map(async (dir) => {
      const reload = () => loadDeployment(context, dir);
      return watchDeployment(reload, await reload(), watch);
    }),
  );
}

function serverOf(context: Context, text: string, options: TargetOptions): WatchedServer {
  const { env } = context;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^(redis|valkey)s?:$/.test(url.protocol))
    throw new CliError('REDKEEP_USAGE', 'A server is named by its URL.', 'Use rediss://HOST:PORT.');
  if (url.password !== '')
    throw new CliError(
      'REDKEEP_USAGE',
      'The URL of a server holds a password, where process lists show it.',
      'Take it out and use --password-file.',
    );
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || 6379);
  const tls = /s:$/.test(url.protocol);
  const username = options.user ?? (decodeURIComponent(url.username) || env['REDIS_USER']);
  const files = {
    password: options.passwordFile ?? env['REDIS_PASSWORD_FILE'],
    ca: options.ca ?? env['REDIS_TLS_CA_FILE'],
    cert: options.cert ?? env['REDIS_TLS_CERT_FILE'],
    key: options.key ?? env['REDIS_TLS_KEY_FILE'],
  };
  const read = async (): Promise<Endpoint> => {
    const parts: Record<string, string> = {};
    for (const [name, file] of Object.entries(files)) if (file) parts[name] = await readGiven(context, file);
    return { host, port, tls, timeoutMs: answerMs, ...(username && { username }), ...parts };
  };
  return { host, port, tls, read };
}

async function readGiven(context: Context, file: string): Promise<string> {
  const resolved = path.resolve(context.cwd, file);
  try {
    return (await readFile(resolved, 'utf8')).trim();
  } catch (error) {
    throw new CliError('REDKEEP_USAGE', `${resolved} cannot be read.`, 'Check the path and its permissions.', {
      cause: error,
    });
  }
}
