import { readFile } from 'node:fs/promises';

/** Client libraries and their versions, from package-lock.json. */
export async function readLockfile(
  file: string,
): Promise<{ name: string; version: string; at: { file: string; line: number } }[]> {
  const text = await readFile(file, 'utf8');
  const lock = JSON.parse(text) as { packages?: Record<string, { version?: string }> };
  const known =
    /(?:^|node_modules\/)(redis|@redis\/client|ioredis|iovalkey|@valkey\/valkey-glide|redkeep|@redkeep\/\w+)$/;
  return Object.entries(lock.packages ?? {}).flatMap(([path, { version }]) => {
    const name = path.match(known)?.[1];
    if (name === undefined || version === undefined) return [];
    const line = text.slice(0, text.indexOf(`"${path}"`)).split('\n').length;
    return [{ name, version, at: { file, line } }];
  });
}
