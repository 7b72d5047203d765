import type { EngineName } from '../../vocabulary/engines.js';

/** What an image is known to run, and how it takes its settings. */
export interface ServerImage {
  readonly engine: EngineName;
  readonly family: 'official' | 'bitnami' | 'stack' | 'dragonfly' | 'other';
}

/** Repository of an image without registry, tag and digest: `bitnami/redis`. */
function repositoryOf(image: string): string {
  const [name = ''] = image.trim().split('@');
  const untagged = name.replace(/:(?:[\w.-]*|\$\{[^}]*\}|\{\{.*\}\})$/, '');
  const parts = untagged.split('/');
  return (/[.:]|^localhost$/.test(parts[0] ?? '') ? parts.slice(1) : parts).join('/').toLowerCase();
}

const serverName =
  /^(?:gb-)?(redis|redisslave|valkey|keydb|dragonfly|kvrocks|redismod|rejson|redisearch)([-_](server|cluster|sentinel|stack|stack-server|bundle|ha|alpine|tls|unstable|master|primary|leader|slave|replica|follower|node|db))*$/;
const toolName =
  /redis-?commander|redis-?insight|redis[-_]exporter|valkey[-_]exporter|phpredisadmin|p3x-redis-ui|redis-(ui|browser|stat|admin|web|desktop)|valkey-admin|redmon/;

/** The server that an image runs; undefined where its name is not that of one. */
export function serverImageOf(image: string): ServerImage | undefined {
  const repository = repositoryOf(image);
  const name = repository.split('/').at(-1) ?? '';
  if (isToolImage(image) || !serverName.test(name)) return undefined;
  const engine = /valkey/.test(name) ? 'valkey' : /dragonfly/.test(name) ? 'dragonfly' : 'redis';
  if (engine === 'dragonfly') return { engine, family: 'dragonfly' };
  if (/^(bitnami|bitnamilegacy|bitnamisecure)\//.test(repository)) return { engine, family: 'bitnami' };
  if (/stack|redismod/.test(name)) return { engine, family: 'stack' };
  return { engine, family: /keydb|kvrocks/.test(name) ? 'other' : 'official' };
}

/** Web interfaces, exporters: programs beside a server that show what it holds. */
export function isToolImage(image: string): boolean {
  return toolName.test(repositoryOf(image));
}

/** The version that an image's tag names in full; undefined where the tag moves (`7`, `latest`) or is not the engine's own. */
export function versionOfImage(image: string): string | undefined {
  const found = serverImageOf(image);
  if (found === undefined || !/^(official|bitnami)$/.test(found.family)) return undefined;
  return /:v?(\d+\.\d+\.\d+)(?:-[\w.-]+)?(?:@|$)/.exec(image.trim())?.[1];
}
