import type { Packed } from '@redkeep/testing';
import type { TypeSetting } from './type-settings.js';

/** How a package is entered: by its name, or by a sub-path of its `exports`. */
interface Entry {
  readonly specifier: string;
  /** It has CommonJS modules too. */
  readonly isDual: boolean;
}

const entriesOf = ({ name, manifest }: Packed): Entry[] =>
  Object.entries(manifest.exports ?? {})
    .filter(([path]) => path !== './package.json')
    .map(([path, conditions]) => ({
      specifier: `${name}${path.slice(1)}`,
      isDual: typeof conditions === 'object' && conditions !== null && 'require' in conditions,
    }));

/** What a program does with an entry beyond importing it; `it` is the module. Entries that are not here are imported. */
const USES: Readonly<Record<string, (it: string) => string>> = {
  redkeep: (it) => `
export const client = ${it}.createClient({ url: 'rediss://localhost:6379', scripts: {} });
client.on('error', (error) => console.error(error.message));
export const view = client.withTypeMapping({ [${it}.RESP_TYPES.BLOB_STRING]: Buffer });
export async function use(): Promise<[string | null, Buffer | null, number, string[]]> {
  const keys: string[] = [];
  for await (const page of client.scanIterator({ MATCH: 'user:*' })) keys.push(...page);
  for await (const page of client.zScanIterator('board')) for (const { score } of page) keys.push(score.toFixed(1));
  for await (const page of view.hScanValuesIterator('h')) for (const value of page) keys.push(value.toString('hex'));
  const [answer, count] = await client.multi().set('a', '1').incr('a').exec();
  return [answer ?? (await client.get('a')), await view.get('a'), count, keys];
}
export const failure = (error: unknown) => (error instanceof ${it}.RedkeepError ? error.toPublic() : undefined);
export const pool = ${it}.createClientPool({}, { maximum: 2 });
export const cluster = ${it}.createCluster({ rootNodes: [{ url: 'rediss://localhost:7000' }] });
export const sentinel = ${it}.createSentinel({ name: 'main', sentinelRootNodes: [{ host: 'localhost', port: 26379 }] });
`,
  '@redkeep/guard': (it) => `
export async function protect() {
  const guard = await ${it};
  const encryption = new guard.Encryption({ keys: guard.keysFromValue(['${'11'.repeat(31)}22']), environment: 'test' });
  const sessions = new guard.Sessions({ client, encryption });
  const sealed: Buffer = await encryption.seal('a', { space: 's', key: 'k' });
  return [sessions, sealed, new guard.RateLimiter({ client, limits: [] }), new guard.Locks({ client })] as const;
}
`,
};

/** A program that enters every package by every way that its manifest offers, as an application of this setting would. */
export function typeProgram(packed: readonly Packed[], { type, moduleResolution }: TypeSetting): string {
  const lines: string[] = [];
  for (const [at, { specifier, isDual }] of packed.flatMap(entriesOf).entries()) {
    const name = `entry${at}`;
    // CommonJS cannot import an ES module statically, and node16 and nodenext say so. node10 does not know.
    const isStatic = isDual || type === 'module' || moduleResolution === 'node10';
    lines.push(isStatic ? `import * as ${name} from '${specifier}';` : `const ${name} = import('${specifier}');`);
    lines.push(`Promise.resolve(${name}).then((names) => console.log('${specifier}', Object.keys(names).length));`);
    lines.push(USES[specifier]?.(name) ?? '');
  }
  return lines.join('\n');
}
