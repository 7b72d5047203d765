/** Numeric parts of a dotted version; anything after the numbers (`-rc1`, `+build`) is left out. */
function parts(version: string): number[] {
  return (version.match(/^v?(\d+(?:\.\d+)*)/)?.[1] ?? '0').split('.').map(Number);
}

/** Negative, zero or positive as `left` is older than, equal to or newer than `right`. */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parts(left), parts(right)];
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

export function versionAtLeast(version: string, floor: string): boolean {
  return compareVersions(version, floor) >= 0;
}

/** `7.0.15` belongs to the line `7.0`. */
export function lineOf(version: string): string {
  return parts(version).slice(0, 2).join('.');
}
