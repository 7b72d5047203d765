import { htmlPage } from '../../../audit/render/html-page.js';
import { severities } from '../../../audit/verdict/cvss.js';
import type { Context } from '../../../context.js';
import { escapeHtml as esc } from '../../../html/escape-html.js';
import { type Expiry, type FleetEntry, type FleetReport, isWorse } from './fleet.js';

function gradeOf({ error, grade, score }: FleetEntry): string {
  if (error !== undefined) return 'not seen';
  return grade === null ? 'no grade' : `${grade} (${score})`;
}

function findingsOf({ findings, error }: FleetEntry): string {
  if (error !== undefined) return '';
  const parts = [...severities]
    .reverse()
    .flatMap((severity) => (findings[severity] > 0 ? [`${findings[severity]} ${severity}`] : []));
  return parts.join(', ') || 'none';
}

function changeOf(entry: FleetEntry): string {
  const { since } = entry;
  if (since === undefined) return entry.error === undefined ? 'first audit' : '';
  const parts = [
    ...(since.grade !== entry.grade && entry.error === undefined ? [`was ${since.grade ?? 'no grade'}`] : []),
    ...(since.appeared.length > 0 ? [`${since.appeared.length} new`] : []),
    ...(since.fixed.length > 0 ? [`${since.fixed.length} fixed`] : []),
  ];
  return parts.join(', ') || (entry.error === undefined ? 'no change' : `seen on ${day(since.observedAt)}`);
}

function day(instant: string): string {
  return instant.slice(0, 10);
}

function expiryText({ what, at, days }: Expiry): string {
  return days < 0
    ? `${what} ended on ${day(at)}`
    : `${what} ends on ${day(at)}, in ${days} ${days === 1 ? 'day' : 'days'}`;
}

function summary({ deployments, worse }: FleetReport): string {
  const dead = deployments.filter(({ error }) => error !== undefined).length;
  const grades = ['F', 'D', 'C', 'B', 'A'].flatMap((grade) => {
    const count = deployments.filter((one) => one.grade === grade).length;
    return count === 0 ? [] : [`${count} ${grade}`];
  });
  const parts = [
    grades.join(', ') || 'no grades',
    ...(dead > 0 ? [`${dead} could not be audited`] : []),
    ...(worse.length > 0 ? [`worse than last time: ${worse.join(', ')}`] : []),
  ];
  return `${deployments.length} ${deployments.length === 1 ? 'deployment' : 'deployments'}: ${parts.join('; ')}.`;
}

/** Worst first, then what got worse, then what ends soon. */
export function renderFleetTerminal({ terminal }: Context, report: FleetReport): void {
  terminal.line(summary(report));
  terminal.table(
    ['deployment', 'grade', 'findings', 'since last time', 'next end'],
    report.deployments.map((one) => [
      one.name,
      gradeOf(one),
      findingsOf(one),
      changeOf(one),
      one.expiries[0] ? `${one.expiries[0].days} days` : '',
    ]),
  );
  for (const one of report.deployments) {
    if (one.error !== undefined) terminal.line(`${one.name}: ${one.error}`);
    for (const address of one.unreachable) terminal.line(`${one.name}: ${address} does not answer`);
    for (const text of one.since?.appeared ?? []) terminal.line(`${one.name}: new: ${text}`);
    for (const text of one.since?.fixed ?? []) terminal.line(`${one.name}: fixed: ${text}`);
  }
  for (const one of report.expiries) terminal.line(`${one.deployment}: ${expiryText(one)}`);
}

/** One page for the fleet; `pages` says which deployments have a page of their own beside it. */
export function renderFleetHtml(report: FleetReport, pages: ReadonlySet<string>): string {
  const rows = report.deployments.map((one) => {
    const name = pages.has(one.name)
      ? `<a href="${encodeURIComponent(one.name)}/report.html">${esc(one.name)}</a>`
      : esc(one.name);
    return `<tr><th scope="row">${name}<span class="quiet">${esc(one.target)}</span></th><td>${esc(gradeOf(one))}</td><td>${esc(one.error ?? findingsOf(one))}</td><td>${esc(changeOf(one))}</td><td>${one.expiries[0] ? esc(expiryText(one.expiries[0])) : ''}</td></tr>`;
  });
  const changes = report.deployments
    .filter((one) => isWorse(one) || (one.since?.fixed.length ?? 0) > 0)
    .map((one) => {
      const items = [
        ...(one.error === undefined ? [] : [`Not seen: ${one.error}`]),
        ...(one.since?.appeared ?? []).map((text) => `New: ${text}`),
        ...(one.since?.fixed ?? []).map((text) => `Fixed: ${text}`),
      ];
      return `<h3>${esc(one.name)}</h3><ul>${items.map((text) => `<li>${esc(text)}</li>`).join('')}</ul>`;
    });
  const ends = report.expiries.map((one) => `<li><b>${esc(one.deployment)}</b> ${esc(expiryText(one))}</li>`);
  const section = (title: string, body: string) => `<section><h2>${title}</h2>${body}</section>`;
  return htmlPage({
    title: `Security audit of ${report.deployments.length} deployments`,
    main: `<header><p class="eyebrow">Security audit</p><h1>${esc(summary(report))}</h1><p class="quiet">${esc(report.inventory)} · ${esc(report.observedAt)}</p></header>
${section('Deployments, worst first', `<div class="scroll" tabindex="0" role="region" aria-label="Deployments"><table><thead><tr><th scope="col">Deployment</th><th scope="col">Grade</th><th scope="col">Findings</th><th scope="col">Since last time</th><th scope="col">Next end</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`)}
${section('What changed', changes.join('') || '<p>Nothing, or there was no audit before.</p>')}
${section('What ends within 90 days', ends.length > 0 ? `<ul>${ends.join('')}</ul>` : '<p>Nothing.</p>')}
<footer class="page"><p class="quiet">redkeep ${esc(report.tool.version)} · read-only</p></footer>`,
  });
}
