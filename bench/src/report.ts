/** Rounds of measurements as ratios: text, Markdown and a plot. */
import type { Goal } from './cases.js';
import type { Result } from './worker.js';

export interface Row {
  readonly case: string;
  readonly goal: Goal | undefined;
  /** Client -> one result a round. Rounds of all clients belong together: they ran one after the other. */
  readonly results: ReadonlyMap<string, readonly Result[]>;
}

export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

const OURS = 'redkeep';

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const rate = (row: Row, name: string) => median(row.results.get(name)!.map((result) => result.rate));
const cpu = (row: Row, name: string) => median(row.results.get(name)!.map((result) => result.cpu));
const peersOf = (row: Row) => [...row.results.keys()].filter((name) => name !== OURS);

/** Redkeep's rate over the peer's, round by round: a drift of the machine's speed cancels out. */
export function ratio(row: Row, peer: string): Ratio {
  const ours = row.results.get(OURS)!;
  const ratios = row.results.get(peer)!.map((result, i) => ours[i]!.rate / result.rate);
  return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

/** The fastest peer, in whichever setting. */
export function best(row: Row): string {
  return peersOf(row).reduce((a, b) => (rate(row, b) > rate(row, a) ? b : a));
}

const show = (r: Ratio) => `${r.median.toFixed(1)} (${r.min.toFixed(1)}–${r.max.toFixed(1)})`;
const thousands = (value: number) =>
  value >= 10_000 ? `${Math.round(value / 1000)}k` : value >= 1000 ? `${(value / 1000).toFixed(1)}k` : value.toFixed(0);

/** `rows` has the cases that others are compared with. */
function verdict(row: Row, rows: readonly Row[]): string {
  const { nodeRedis, best: beat, bestOf, cpuBest, cpuOf } = row.goal ?? {};
  const check = (met: boolean, what: string) => `${met ? 'met' : 'MISSED'} (${what})`;
  const checks: string[] = [];
  const named = (name: string) => rows.find((candidate) => candidate.case === name);
  if (nodeRedis !== undefined && row.results.has('node-redis'))
    checks.push(check(ratio(row, 'node-redis').median >= nodeRedis, `≥ ${nodeRedis} × node-redis`));
  if (beat !== undefined) checks.push(check(ratio(row, best(row)).median >= beat, `≥ ${beat} × best`));
  if (cpuBest !== undefined) {
    const saved = Math.min(...peersOf(row).map((name) => cpu(row, name))) / cpu(row, OURS);
    checks.push(check(saved >= cpuBest, `${saved.toFixed(1)} × less CPU than the best, ≥ ${cpuBest}`));
  }
  const plain = bestOf && named(bestOf.case);
  if (plain) {
    const reached = rate(row, OURS) / rate(plain, best(plain));
    checks.push(check(reached >= bestOf.ratio, `${reached.toFixed(1)} × the best peer without TLS, ≥ ${bestOf.ratio}`));
  }
  const single = cpuOf && named(cpuOf.case);
  if (single) {
    const cost = cpu(row, OURS) / cpu(single, OURS);
    checks.push(check(cost <= cpuOf.ratio, `${cost.toFixed(2)} × the CPU of a single client, ≤ ${cpuOf.ratio}`));
  }
  return checks.join(', ');
}

export function summary(row: Row, rows: readonly Row[]): string {
  const fastest = best(row);
  const shipped = row.results.has('node-redis') ? `${show(ratio(row, 'node-redis'))} × node-redis, ` : '';
  return `${row.case}: ${thousands(rate(row, OURS))}/s = ${shipped}${show(ratio(row, fastest))} × ${fastest}; ${verdict(row, rows)}`;
}

/** `reference`: what the server's own benchmark reaches, by case. */
export function renderMarkdown(
  rows: readonly Row[],
  machine: string,
  reference: ReadonlyMap<string, number> | undefined,
): string {
  const names = [...rows[0]!.results.keys()];
  const table = rows.map((row) => `| ${row.case} | ${names.map((name) => thousands(rate(row, name))).join(' | ')} |`);
  const ratios = rows.map(
    (row) =>
      `| ${row.case} | ${show(ratio(row, 'node-redis'))} | ${best(row)} | ${show(ratio(row, best(row)))} | ${verdict(row, rows)} |`,
  );
  const costs = rows.map((row) => `| ${row.case} | ${names.map((name) => cpu(row, name).toFixed(2)).join(' | ')} |`);
  const beside = rows.flatMap((row) => {
    const other = reference?.get(row.case);
    if (other === undefined) return [];
    const share = rate(row, OURS) / other;
    return [`| ${row.case} | ${thousands(other)} | ${share.toFixed(2)} | ${share >= 0.5 ? 'met' : 'MISSED'} (≥ 0.5) |`];
  });
  return `# Results of \`npm run bench\`

One run on ${machine}. Every client has a process of its own; they take turns, ${rows[0]!.results.get(OURS)!.length} rounds a case, against one server on
loopback. Ratios are Redkeep's rate over the peer's in the same round: median (lowest–highest). Absolute figures say
more of the machine than of the clients.

![Rates relative to node-redis as shipped](results.svg)

## Ratios

| case | × node-redis as shipped | fastest peer | × fastest peer | goal |
|---|---|---|---|---|
${ratios.join('\n')}

## Rates (commands or values a second, median)

| case | ${names.join(' | ')} |
|---|${names.map(() => '---').join('|')}|
${table.join('\n')}

## CPU of the client's process (microseconds a command or value, median)

| case | ${names.join(' | ')} |
|---|${names.map(() => '---').join('|')}|
${costs.join('\n')}

## Beside the server's own benchmark

\`redis-benchmark -c 1 -P <callers>\`, a C program that parses no reply into a value, right after the cases above.

${beside.length === 0 ? 'Not installed here.' : `| case | its rate | Redkeep's share | goal |\n|---|---|---|---|\n${beside.join('\n')}`}
`;
}

const COLORS = ['#b3261e', '#5b6770', '#8a949b', '#3f6fb0', '#7ea6d8', '#4a8f6d', '#8cc4a8', '#b58a3d'];

/** Bars per case, relative to node-redis as shipped. */
export function renderSvg(rows: readonly Row[]): string {
  const names = [...rows[0]!.results.keys()];
  const bar = 9;
  const group = names.length * bar + 26;
  const height = rows.length * group + 70;
  const scale = (row: Row, name: string) => rate(row, name) / rate(row, 'node-redis');
  const max = Math.max(...rows.flatMap((row) => names.map((name) => scale(row, name))));
  const width = 560;
  const left = 190;
  const body = rows.map((row, r) => {
    const top = 50 + r * group;
    const bars = names.map((name, i) => {
      const value = scale(row, name);
      const length = Math.max(1, (value / max) * (width - 60));
      const y = top + i * bar;
      return `<rect x="${left}" y="${y}" width="${length.toFixed(1)}" height="${bar - 1}" fill="${COLORS[i % COLORS.length]}"><title>${name}: ${value.toFixed(2)}</title></rect><text x="${(left + length + 4).toFixed(1)}" y="${y + bar - 2}" font-size="8">${value.toFixed(1)}</text>`;
    });
    return `<text x="${left - 8}" y="${top + (names.length * bar) / 2 + 4}" text-anchor="end">${row.case}</text>${bars.join('')}`;
  });
  const legend = names.map(
    (name, i) =>
      `<rect x="${10 + (i % 4) * 185}" y="${8 + Math.floor(i / 4) * 16}" width="10" height="10" fill="${COLORS[i % COLORS.length]}"/><text x="${24 + (i % 4) * 185}" y="${17 + Math.floor(i / 4) * 16}">${name}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width + left} ${height}" font-family="system-ui, sans-serif" font-size="11" fill="#222"><title>Rates of each client relative to node-redis as shipped, by case</title><rect width="100%" height="100%" fill="#fff"/>${legend.join('')}${body.join('')}<text x="${left}" y="${height - 6}" fill="#666">rate relative to node-redis 6 as shipped (1.0)</text></svg>\n`;
}
