import { compareVersions } from '../../vocabulary/engines.js';
import type { EngineFacts } from './engine-facts.js';

/** A published vulnerability of a server, as the CVE data file describes it. */
export interface Cve {
  readonly id: string;
  /** Score by its source; absent where the source states none. */
  readonly score?: number;
  readonly scoreVersion?: '3.1' | '4.0';
  readonly needs: string;
  /** Half-open ranges `[from, before)` by engine; `from` absent: from the beginning. */
  readonly affected: Readonly<
    Partial<Record<'redis' | 'valkey', readonly { readonly from?: string; readonly before: string }[]>>
  >;
  /** The first Debian package revision with the fix, e.g. `5:7.0.15-1~deb12u9`. */
  readonly debian?: string;
  /** Set where only a distribution's packages have the flaw. */
  readonly only?: 'distribution';
}

export interface CveData {
  /** Day the data was last compared with its sources, ISO 8601. */
  readonly date: string;
  readonly entries: readonly Cve[];
  /** The lines upstream still fixes and the first version of each without a known flaw. */
  readonly floors: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface CveMatch {
  readonly cve: Cve;
  readonly outcome: 'affected' | 'possible';
}

/** Debian revisions compare by the upstream version, then by the number after `deb12u`. */
function debianHasFix(installed: string, fixed: string): boolean {
  const revision = (text: string): number => Number(text.match(/~deb\d+u(\d+)/)?.[1] ?? Number.NaN);
  const upstream = (text: string): string => text.replace(/^\d+:/, '').split('-')[0] ?? '';
  const order = compareVersions(upstream(installed), upstream(fixed));
  if (order !== 0) return order > 0;
  return revision(installed) >= revision(fixed);
}

/**
 * The entries that concern a version. A version string is not proof: distributions fix without changing it. So a range
 * that fits means "affected" for a build of the vendor, "possible" for any other, and nothing where the package's own
 * revision carries the fix.
 */
export function matchCves(engine: EngineFacts, data: CveData): CveMatch[] {
  if (engine.name === 'dragonfly') return [];
  const name = engine.name;
  return data.entries.flatMap((cve) => {
    const hit = cve.affected[name]?.some(
      ({ from, before }) =>
        compareVersions(engine.version, before) < 0 &&
        (from === undefined || compareVersions(engine.version, from) >= 0),
    );
    if (!hit || (cve.only === 'distribution' && engine.build === 'vendor')) return [];
    if (engine.package && cve.debian && debianHasFix(engine.package.version, cve.debian)) return [];
    return [{ cve, outcome: engine.build === 'vendor' ? 'affected' : 'possible' } as const];
  });
}

export function describeCve(cve: Cve): string {
  const score = cve.score === undefined ? '' : `${cve.score}${cve.scoreVersion === '4.0' ? ' v4' : ''}, `;
  return `${cve.id} (${score}${cve.needs})`;
}

export function supportedLines(engine: string, data: CveData): string {
  return Object.entries(data.floors[engine] ?? {})
    .map(([, floor]) => floor)
    .join(', ');
}
