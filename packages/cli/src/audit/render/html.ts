import { escapeHtml as esc } from '../../html/escape-html.js';
import { areas } from '../checks/check.js';
import { clauseNotes, standardSources, standards } from '../checks/mappings.js';
import type { AuditResult, CheckResult, OccurrenceResult } from '../verdict/result.js';
import { htmlScript } from './html-assets.js';
import { htmlPage } from './html-page.js';
import {
  byStatus,
  coverageSentence,
  gradeText,
  moment,
  severityLabel,
  unknownByReason,
  verdictSentence,
} from './text.js';

function list(items: readonly string[], name = ''): string {
  return items.length === 0
    ? ''
    : `<ul${name ? ` class="${name}"` : ''}>${items.map((item) => `<li>${item}</li>`).join('')}</ul>`;
}

function commands({ fix }: OccurrenceResult): string {
  return fix
    .map(({ command, rollback }) => {
      const text = command.startsWith('# ')
        ? `<p class="advice">${esc(command.slice(2))}</p>`
        : `<pre><code>${esc(command)}</code></pre>`;
      if (rollback === undefined) return text;
      const undo = rollback.startsWith('# ') ? esc(rollback.slice(2)) : `<code>${esc(rollback)}</code>`;
      return `${text}<p class="undo"><span>Undo</span> ${undo}</p>`;
    })
    .join('');
}

function mapsTo(check: CheckResult): string {
  const rows = Object.entries(check.maps)
    .filter(([, clauses]) => clauses.length > 0)
    .map(
      ([standard, clauses]) =>
        `<b>${esc(standards[standard as keyof typeof standards])}</b> ${esc(clauses.join(', '))}`,
    );
  return `<details class="maps"><summary>Maps to</summary>${list(rows)}${check.sources.length > 0 ? `<p>See also ${esc(check.sources.join(', '))}</p>` : ''}</details>`;
}

function finding(check: CheckResult): string {
  const occurrences = check.occurrences
    .map(
      (one) => `<div class="occurrence"><p><b>${esc(one.subject)}</b> ${esc(one.evidence)}</p>${commands(one)}</div>`,
    )
    .join('');
  const vector = check.cvss ? `<a class="vector" href="#risk">${esc(check.cvss.vector)}</a>` : '';
  return `<article class="finding ${check.severity}" id="${check.id}" data-severity="${check.severity}" data-area="${esc(check.area)}">
<header><h3>${esc(check.title)}</h3><p class="meta"><span class="badge ${check.severity}">${esc(severityLabel(check))}</span><span>${check.id}</span><span>${esc(check.area)}</span><span>${check.effort} to fix</span></p></header>
<p class="why">${esc(check.why)}</p>${occurrences}
<footer>${mapsTo(check)}${vector}</footer></article>`;
}

function filters(result: AuditResult): string {
  const options = (values: readonly string[]): string =>
    [...new Set(values)].map((value) => `<option>${esc(value)}</option>`).join('');
  return `<form class="filters"><label>Severity <select name="severity"><option value="">all</option>${options(result.findings.map((one) => one.severity))}</select></label>
<label>Area <select name="area"><option value="">all</option>${options(result.findings.map((one) => one.area))}</select></label><output></output></form>`;
}

function reasons(result: AuditResult): string {
  const lines = result.lines.map(
    (line) =>
      `<tr><td class="points">−${line.points}</td><td><b>${areas[line.area]}</b> ${line.deductions.map(({ id, title }) => `<a href="#${id}" title="${esc(title)}">${id}</a>`).join(' ')}${line.points === line.limit ? ` <span class="quiet">the most this area can cost</span>` : ''}</td></tr>`,
  );
  const caps = result.caps.map(
    (cap) =>
      `<tr><td class="points">≤ ${cap.to}</td><td>${esc(cap.reason)} ${cap.checks
        .slice(0, 12)
        .map((id) => `<a href="#${id}">${id}</a>`)
        .join(' ')}</td></tr>`,
  );
  if (result.grade === null) return `<p>No grade: ${esc(result.ungraded ?? 'too little was seen')}.</p>`;
  return `<table class="reasons"><thead><tr><th scope="col">Points</th><th scope="col">Why</th></tr></thead><tbody><tr><td class="points">100</td><td>to begin with</td></tr>${lines.join('')}<tr class="sum"><td class="points">${result.score}</td><td>points</td></tr>${caps.join('')}</tbody></table>`;
}

function bar(value: number): string {
  return `<span class="bar"><i style="width:${value * 10}%"></i></span><b>${value.toFixed(1)}</b>`;
}

function risk(result: AuditResult): string {
  const rows = Object.entries(result.risk).map(
    ([aspect, { now, afterFixes, unknown }]) =>
      `<tr><th scope="row">${esc(aspect)}</th><td>${bar(now)}</td><td>${bar(afterFixes)}</td><td class="quiet">${unknown || ''}</td></tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="Risk by aspect"><table class="risk"><thead><tr><th scope="col">Aspect</th><th scope="col">Now</th><th scope="col">After the commands</th><th scope="col">Not seen</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>
<p class="quiet">The highest CVSS 3.1 base score among an aspect's findings, 0 to 10, now and after the printed commands, and how many checks could not be made: what they would have found is in neither figure.</p>`;
}

function coverage(result: AuditResult): string {
  const rows = Object.entries(result.coverage.byArea)
    .filter(([, { observed, unknown, notApplicable }]) => observed + unknown + notApplicable > 0)
    .map(([area, { observed, unknown }]) => {
      const share = observed + unknown === 0 ? 0 : (observed / (observed + unknown)) * 100;
      return `<tr><th scope="row">${esc(area)}</th><td><span class="bar calm"><i style="width:${share}%"></i></span><b>${observed}</b><span class="quiet"> of ${observed + unknown}</span></td></tr>`;
    });
  const unseen = unknownByReason(result).map(({ reason, checks }) => `<code>${checks.join(' ')}</code> ${esc(reason)}`);
  return `<p>${coverageSentence(result)}.</p><table class="risk"><thead><tr><th scope="col">Area</th><th scope="col">Checks with a result</th></tr></thead><tbody>${rows.join('')}</tbody></table>
${unseen.length > 0 ? `<h3>What could not be seen, and why</h3>${list(unseen, 'unseen')}` : ''}`;
}

function permissions(result: AuditResult): string {
  if (result.permissions.length === 0) return '<p>The users could not be read.</p>';
  const rows = result.permissions.map(
    (user) =>
      `<tr><th scope="row">${esc(user.user)}<span class="quiet">${esc(user.role)}${user.enabled ? '' : ', off'}${result.nodes.length > 1 ? `, ${esc(user.node)}` : ''}</span></th><td>${esc(user.keys.join(' ') || 'no keys')}</td><td>${user.dangerous.length === 0 ? 'none' : esc(user.dangerous.join(', '))}${list(user.escalations.map(esc), 'escalations')}</td></tr>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-label="Users"><table class="users"><thead><tr><th scope="col">User</th><th scope="col">Keys</th><th scope="col">Dangerous commands it can run</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function links(ids: readonly string[]): string {
  return ids.map((id) => `<a href="#${id}">${id}</a>`).join(' ');
}

function note(standard: AuditResult['compliance'][number]['standard'], clause: string): string {
  const text = clauseNotes[standard]?.[clause];
  return text === undefined ? '' : `<span class="quiet">${esc(text)}</span>`;
}

function compliance(result: AuditResult): string {
  return result.compliance
    .map(({ standard, title, clauses, manual }) => {
      const sources = standardSources[standard].map(esc).join(', ');
      const failed = clauses.filter((clause) => clause.failed.length > 0).length;
      const rows = clauses.map(({ clause, failed: bad, passed: good, unknown }) => {
        const parts = [
          bad.length > 0 && `<b>Against it</b> ${links(bad)}`,
          good.length > 0 && `<span class="more"><span class="quiet">For it</span> ${links(good)}</span>`,
          unknown.length > 0 && `<span class="more quiet">Not seen ${unknown.join(' ')}</span>`,
        ].filter(Boolean);
        return `<tr class="${bad.length > 0 ? 'bad' : ''}"><th scope="row">${esc(clause)}${note(standard, clause)}</th><td>${parts.join(' ') || '<span class="quiet">does not apply here</span>'}</td></tr>`;
      });
      return `<details><summary>${esc(title)} <span class="quiet">${clauses.length} clauses, findings map to ${failed}, ${manual.length} by hand</span></summary><div class="scroll" tabindex="0" role="region" aria-label="Clauses of ${esc(title)}"><table class="clauses"><thead><tr><th scope="col">Clause</th><th scope="col">Checks</th></tr></thead><tbody>${rows.join('')}</tbody></table></div><p class="quiet">The text: ${sources}</p><h3>By hand</h3>${list(manual.map(esc))}</details>`;
    })
    .join('');
}

function recommendations(result: AuditResult): string {
  const rows = result.recommendations.map(
    ({ priority, check, title, effort, first }) =>
      `<tr><td class="points">${priority}</td><td><a href="#${check}">${esc(title)}</a><span class="quiet">${esc(first)}</span></td><td>${effort}</td></tr>`,
  );
  return `<table class="todo"><thead><tr><th scope="col">Priority</th><th scope="col">What</th><th scope="col">Effort</th></tr></thead><tbody>${rows.join('')}</tbody></table>
<p class="quiet">1 now: critical, or it holds the grade down; 2 this week; 3 planned; 4 when there is time.</p>`;
}

function passed(result: AuditResult): string {
  const rows = byStatus(result, 'pass').map((check) => {
    const evidence = check.remarks
      .map(({ subject, text }) => (result.nodes.length > 1 ? `${subject}: ${text}` : text))
      .join('; ');
    return `<tr id="${check.id}"><th scope="row">${check.id}</th><td>${esc(check.passes)}<span class="quiet">${esc(evidence)}</span></td></tr>`;
  });
  return `<div class="scroll" tabindex="0" role="region" aria-label="Passed checks"><table class="clauses"><thead><tr><th scope="col">Check</th><th scope="col">What passes, and what was seen</th></tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

/** One self-contained page: no network, readable on a phone and on paper, light and dark. */
export function renderHtml(result: AuditResult): string {
  const nodes = result.nodes.map(
    (node) =>
      `<b>${esc(node.address)}</b> ${node.engine === 'unknown' ? 'not identified' : esc(`${node.engine} ${node.version}, ${node.role}`)}${node.note ? ` <span class="quiet">${esc(node.note)}</span>` : ''}`,
  );
  const waived = result.waived.map(
    ({ finding: { id, title }, owner, expires, reason }) =>
      `<b>${id}</b> ${esc(title)}: ${esc(reason)} <span class="quiet">${esc(owner)}, until ${esc(expires)}</span>`,
  );
  const serious = result.findings.some(({ severity }) => severity === 'critical' || severity === 'high');
  const section = (id: string, title: string, body: string): string =>
    `<section id="${id}"><h2>${title}</h2>${body}</section>`;
  return htmlPage({
    title: `${gradeText(result)}: security audit of ${esc(result.target)}`,
    main: `<header class="verdict grade-${result.grade ?? 'none'}${serious ? ' serious' : ''}">
<div class="letter" role="img" aria-label="${gradeText(result)}">${result.grade ?? '–'}</div>
<div><p class="eyebrow">Security audit</p><h1>${esc(verdictSentence(result))}</h1><p class="quiet">${esc(result.target)} · ${result.profile} profile · ${moment(result)}</p></div>
</header>
<nav><a href="#findings">Findings <b>${result.findings.length}</b></a><a href="#why">Why ${result.grade ?? 'no grade'}</a><a href="#users">Users</a><a href="#coverage">Coverage</a><a href="#compliance">Standards</a><a href="#passed">Passed <b>${byStatus(result, 'pass').length}</b></a></nav>
<div class="pair">${section('why', 'Why this grade', reasons(result))}${section('risk', 'Risk', risk(result))}</div>
${result.recommendations.length > 0 ? section('todo', 'What to do first', recommendations(result)) : ''}
${section('findings', 'Findings', result.findings.length === 0 ? '<p>None.</p>' : `${filters(result)}${result.findings.map(finding).join('\n')}`)}
${waived.length > 0 ? section('waived', 'Accepted risks', list(waived)) : ''}
${section('nodes', 'What was looked at', list(nodes))}
${section('users', 'What each user can really do', permissions(result))}
${section('coverage', 'Coverage', coverage(result))}
${section('compliance', 'Clauses of standards', `<p class="quiet">Findings and passes "map to" these clauses. That is evidence for an assessor, not compliance: what a clause asks of people and processes has to be looked at by hand.</p>${compliance(result)}`)}
${section('passed', 'Passed', passed(result))}
${section('notes', 'Notes', list(result.notes.map(esc)))}
<footer class="page"><p class="quiet">redkeep ${esc(result.tool.version)} · ${Math.round(result.durationMs)} ms · read-only</p></footer>`,
    script: htmlScript,
  });
}
