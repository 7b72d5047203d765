export const engineNames = ['redis', 'valkey', 'dragonfly'] as const;
export type EngineName = (typeof engineNames)[number];

/** An engine and its release line, for example Redis 7.0 or Valkey 8.1. */
export interface Engine {
  readonly name: EngineName;
  /** `major.minor`, as in `8.1`. */
  readonly version: string;
}

/** Numeric parts of a dotted version; anything after the numbers (`-rc1`, `+build`) is left out. */
function parts(version: string): number[] {
  return (version.match(/^v?(\d+(?:\.\d+)*)/)?.[1] ?? '0').split('.').map(Number);
}

/** Negative, zero or positive as `left` is older than, equal to or newer than `right`. A missing part counts as 0. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parts(left), parts(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index += 1) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function versionAtLeast(version: string, floor: string): boolean {
  return compareVersions(version, floor) >= 0;
}

/** The release line of a version: `7.0` for `7.0.15`. */
export function releaseLineOf(version: string): string {
  return parts(version).slice(0, 2).join('.');
}

/** From which version on each engine knows something; an engine left out never does. */
export type Since = Partial<Record<EngineName, string>>;

/** The oldest release lines that deployments are written for. */
export const oldestVersions: Readonly<Record<EngineName, string>> = { redis: '6.2', valkey: '7.2', dragonfly: '1.22' };

export function knows(engine: Engine, since: Since): boolean {
  const first = since[engine.name];
  return first !== undefined && versionAtLeast(engine.version, first);
}
