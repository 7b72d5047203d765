import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../../context.js';
import { CliError, explainSystemError } from '../../errors.js';
import { IncidentFolder } from '../../incident/folder.js';
import { renderHtml, renderMarkdown } from '../../incident/report/document.js';
import { readFacts } from '../../incident/report/facts.js';
import { deadlineOf, type Regulator, regulators } from '../../incident/report/regulator.js';
import { makeReport } from '../../incident/report/report.js';
import { incidentFolderOf } from './options.js';

interface ReportOptions {
  readonly incident: string;
  readonly format: string;
  readonly out?: string;
  readonly regulator?: readonly string[];
  readonly json?: boolean;
}

/** `redkeep incident report`. */
export async function reportIncident(context: Context, options: ReportOptions): Promise<void> {
  const { terminal, clock, cwd } = context;
  const incident = await IncidentFolder.open(incidentFolderOf(context, options));
  const chosen = (options.regulator ?? []).map(regulatorOf);
  const facts = await readFacts(incident);
  const deadlines = Object.fromEntries(chosen.map((each) => [each, deadlineOf(each, facts.aware).toISOString()]));
  if (options.json) return terminal.json({ ...facts, aware: facts.aware.toISOString(), deadlines });
  const report = makeReport(facts, chosen, clock.now());
  if (options.format !== 'markdown' && options.format !== 'html')
    throw new CliError('REDKEEP_USAGE', `--format must not be "${options.format}".`, 'Use markdown or html.');
  const text = options.format === 'html' ? renderHtml(report) : renderMarkdown(report);
  for (const [regulator, deadline] of Object.entries(deadlines)) terminal.note(`${regulator}: notify by ${deadline}`);
  if (options.out === undefined) return terminal.text(text);
  const file = path.resolve(cwd, options.out);
  await writeFile(file, text, { mode: 0o600, flag: 'wx' }).catch((error: unknown) => {
    throw explainSystemError(error, file);
  });
  terminal.done(`Wrote ${file}`);
}

function regulatorOf(text: string): Regulator {
  const found = regulators.find((each) => each === text);
  if (found) return found;
  throw new CliError('REDKEEP_USAGE', `--regulator must not be "${text}".`, `Use ${regulators.join(' or ')}.`);
}

/** `redkeep incident note TEXT`: a decision, or when somebody became aware, for the report. */
export async function noteDecision(
  context: Context,
  text: string,
  options: { readonly incident: string; readonly awareAt?: string; readonly json?: boolean },
): Promise<void> {
  const incident = await IncidentFolder.begin(incidentFolderOf(context, options), context.clock.now());
  if (options.awareAt === undefined) await incident.record('decided', text, context.clock.now());
  else {
    const at = new Date(options.awareAt);
    if (Number.isNaN(at.getTime()) || !/(?:Z|[+-]\d{2}:?\d{2})$/.test(options.awareAt))
      throw new CliError(
        'REDKEEP_USAGE',
        '--aware-at is not a moment with its time zone.',
        'For example --aware-at 2026-03-01T14:03:06Z.',
      );
    await incident.record('aware', text, at);
  }
  context.terminal.done('Noted.');
}
