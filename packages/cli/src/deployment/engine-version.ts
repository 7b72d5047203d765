export const engineNames = ['redis', 'valkey', 'dragonfly'] as const;
export type EngineName = (typeof engineNames)[number];

/** An engine and its release line, for example Redis 7.0 or Valkey 8.1. */
export interface Engine {
  readonly name: EngineName;
  /** `major.minor`, as in `8.1`. */
  readonly version: string;
}

/** Negative when `a` is older than `b`; both are `major.minor`, further parts are ignored. */
export function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}

/** From which version on each engine knows something; an engine left out never does. */
export type Since = Partial<Record<EngineName, string>>;

/** The oldest release lines that deployments are written for. */
export const oldestVersions: Readonly<Record<EngineName, string>> = { redis: '6.2', valkey: '7.2', dragonfly: '1.22' };

export function knows(engine: Engine, since: Since): boolean {
  const first = since[engine.name];
  return first !== undefined && compareVersions(engine.version, first) >= 0;
}
