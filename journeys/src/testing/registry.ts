/**
 * A package registry on loopback, for `npm install` as the documents say it, without the Internet: our packages as they
 * would be published, and what this repository has installed.
 */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Packed } from '@redkeep/testing';
import { repository } from './markdown.js';

const run = promisify(execFile);

interface Release {
  readonly manifest: { readonly name: string; readonly version: string };
  readonly tarball: () => Promise<Buffer>;
}

export interface Registry {
  readonly url: string;
  /** Names that were asked for and are not there. */
  readonly missing: ReadonlySet<string>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startRegistry(packed: readonly Packed[]): Promise<Registry> {
  const missing = new Set<string>();
  const server = createServer((request, response) => {
    answer(request.url ?? '/', packed, missing, `http://${request.headers.host}`, response).catch((error) =>
      response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    missing,
    [Symbol.asyncDispose]: () => close(server),
  };
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

async function answer(
  url: string,
  packed: readonly Packed[],
  missing: Set<string>,
  base: string,
  response: ServerResponse,
): Promise<void> {
  const [, path = '', version] = /^\/(.+?)(?:\/-\/(.+)\.tgz)?$/.exec(decodeURIComponent(url)) ?? [];
  const releases = releasesOf(path, packed);
  if (version !== undefined) {
    const release = releases.find(({ manifest }) => manifest.version === version);
    if (!release) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(await release.tarball());
    return;
  }
  if (releases.length === 0) {
    missing.add(path);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    return;
  }
  const versions = Object.fromEntries(
    releases.map(({ manifest }) => [
      manifest.version,
      { ...manifest, dist: { tarball: `${base}/${path}/-/${manifest.version}.tgz` } },
    ]),
  );
  const latest = releases[0]!.manifest.version;
  response
    .writeHead(200, { 'content-type': 'application/json' })
    .end(JSON.stringify({ name: path, 'dist-tags': { latest }, versions }));
}

function releasesOf(name: string, packed: readonly Packed[]): Release[] {
  const ours = packed.find((one) => one.name === name);
  if (ours) return [{ manifest: ours.manifest, tarball: () => readFile(ours.tarball) }];
  const found = new Map<string, Release>();
  for (const folder of installedCopies(name)) {
    const { devDependencies, scripts, ...manifest } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    if (!found.has(manifest.version)) found.set(manifest.version, { manifest, tarball: () => pack(folder) });
  }
  return [...found.values()];
}

/** Folders below the repository that hold the package: hoisted to the top, of a workspace, and below a package. */
function installedCopies(name: string): string[] {
  const top = join(repository, 'node_modules');
  const scoped = (folder: string) =>
    readdirSync(folder).flatMap((entry) =>
      entry.startsWith('@') ? readdirSync(join(folder, entry)).map((inner) => join(entry, inner)) : [entry],
    );
  const workspaces = ['packages/client', 'packages/guard', 'packages/cli', 'compat', 'bench', 'examples', 'testing'];
  return [
    join(top, name),
    ...workspaces.map((workspace) => join(repository, workspace, 'node_modules', name)),
    ...scoped(top).map((owner) => join(top, owner, 'node_modules', name)),
  ].filter((folder) => existsSync(join(folder, 'package.json')));
}

async function pack(folder: string): Promise<Buffer> {
  const base = basename(folder);
  const args = ['-czf', '-', '-C', dirname(folder), '--exclude', `${base}/node_modules`];
  const { stdout } = await run('tar', [...args, '--transform', `s,^${base},package,`, base], {
    encoding: 'buffer',
    maxBuffer: 1 << 28,
  });
  return stdout;
}
