import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { renderCsv } from '../../audit/render/csv.js';
import { renderHtml } from '../../audit/render/html.js';
import { renderJson } from '../../audit/render/json.js';
import { renderJunit } from '../../audit/render/junit.js';
import { renderMarkdown } from '../../audit/render/markdown.js';
import { renderSarif } from '../../audit/render/sarif.js';
import type { AuditResult } from '../../audit/verdict/result.js';
import type { Context } from '../../context.js';
import { explainSystemError } from '../../errors.js';

export interface ReportOptions {
  readonly html?: string;
  readonly markdown?: string;
  readonly sarif?: string;
  readonly junit?: string;
  readonly csv?: string;
  readonly output?: string;
}

/** Writes the renderings that were asked for; each is made from the one result. */
export async function writeReports(
  { cwd, terminal }: Context,
  result: AuditResult,
  options: ReportOptions,
): Promise<void> {
  const wanted: readonly [string | undefined, () => string][] = [
    [options.html, () => renderHtml(result)],
    [options.markdown, () => renderMarkdown(result)],
    [options.sarif, () => renderSarif(result, cwd)],
    [options.junit, () => renderJunit(result)],
    [options.csv, () => renderCsv(result)],
    [options.output && path.join(options.output, 'report.html'), () => renderHtml(result)],
    [options.output && path.join(options.output, 'report.json'), () => renderJson(result)],
  ];
  for (const [name, render] of wanted) {
    if (name === undefined) continue;
    const file = path.resolve(cwd, name);
    try {
      await mkdir(path.dirname(file), { recursive: true });
      // The report names hosts, users and weaknesses: for its owner only.
      await writeFile(file, render(), { mode: 0o600 });
    } catch (error) {
      throw explainSystemError(error, file);
    }
    terminal.note(`wrote ${file}`);
  }
}
