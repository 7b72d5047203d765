import { htmlStyle } from '../../audit/render/html-assets.js';
import { escapeHtml } from '../../html/escape-html.js';
import type { ActiveAlert } from '../alerts/active-alerts.js';
import type { DeploymentState } from '../deployment-states.js';
import { userLabel } from '../detect/expectations.js';
import { networkOf } from '../detect/networks.js';
import { numberOf } from '../info.js';
import type { NodeView } from '../metrics/redkeep-metrics.js';
import type { Monitor, SeenEvent } from '../monitor.js';

export const pageStyle = `${htmlStyle}
.alert{background:var(--card);border:1px solid var(--line);border-left:4px solid var(--tone);border-radius:.6rem;padding:.7rem 1rem;margin:0 0 .6rem;overflow-wrap:anywhere}
.alert.critical{--tone:var(--critical)}.alert.warning{--tone:var(--medium)}
.word{color:var(--tone);font-weight:650}.calm{--tone:var(--good)}.calm .word,.ok{color:var(--good);font-weight:600}.bad{color:var(--critical);font-weight:600}
td.number{font-variant-numeric:tabular-nums;white-space:nowrap}
form.login{max-width:22rem;margin:4rem auto}form.login label{display:block;font-weight:600;margin-bottom:.3rem}
form.login input{width:100%;font:inherit;padding:.5rem;border:1px solid var(--quiet);border-radius:.4rem;background:var(--card);color:var(--ink)}
button{font:inherit;padding:.5rem 1.1rem;margin-top:.8rem;border:0;border-radius:.4rem;background:var(--accent);color:var(--paper);font-weight:600;cursor:pointer}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.head{display:flex;flex-wrap:wrap;gap:.5rem 1.5rem;align-items:baseline;justify-content:space-between}.head form button{margin:0;padding:.25rem .8rem;font-size:.9rem}
`;

/** Fetches the content again whenever a round is over or something happens; no data is read by the script itself. */
export const pageScript = `
const content = document.querySelector('#content');
const state = document.querySelector('#connection');
let busy = false, again = false;
async function load() {
  if (busy) { again = true; return; }
  busy = true;
  try {
    const answer = await fetch('/content', { redirect: 'error' });
    if (answer.status === 401) location.assign('/');
    else if (answer.ok) { content.innerHTML = await answer.text(); state.textContent = 'live'; }
  } catch { state.textContent = 'not connected'; }
  busy = false;
  if (again) { again = false; void load(); }
}
const live = new EventSource('/live');
live.onmessage = load;
live.onerror = () => { state.textContent = 'not connected'; };
`;

function page(title: string, body: string, script = ''): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><link rel="stylesheet" href="/page.css"></head>
<body><main>${body}</main>${script}</body></html>
`;
}

export function loginPage(problem?: string): string {
  const said = problem === undefined ? '' : `<p role="alert" class="bad">${escapeHtml(problem)}</p>`;
  return page(
    'Log in: Redkeep monitor',
    `<form class="login" method="post" action="/login"><h1>Redkeep monitor</h1>${said}
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<button type="submit">Log in</button></form>`,
  );
}

export function monitorPage(monitor: Monitor, now: number): string {
  return page(
    'Redkeep monitor',
    `<div class="head"><div><p class="eyebrow">Redkeep monitor</p><h1>What happens on your servers</h1></div>
<p class="quiet">Connection: <span id="connection" role="status">live</span></p>
<form method="post" action="/logout"><button type="submit">Log out</button></form></div>
<div id="content">${monitorContent(monitor, now)}</div>`,
    '<script src="/page.js" defer></script>',
  );
}

/** Everything below the heading; what servers and clients said is escaped. */
export function monitorContent(monitor: Monitor, now: number): string {
  const views = monitor.views();
  const states = monitor.deploymentStates();
  return [
    alertsSection(monitor.alerts(), now),
    section('nodes', 'Servers', nodesTable(views)),
    section('clients', 'Clients', clientsTable(views)),
    section('secrets', 'Secrets and backups', secretsTable(states)),
    section('events', 'Events', eventsTable(monitor.events())),
  ].join('\n');
}

function section(id: string, title: string, content: string): string {
  return `<section id="${id}"><h2>${title}</h2>${content}</section>`;
}

function alertsSection(alerts: readonly ActiveAlert[], now: number): string {
  const list = [...alerts]
    .sort((a, b) => a.rule.severity.localeCompare(b.rule.severity) || b.startedAt - a.startedAt)
    .map(({ rule, node, detail, startedAt }) => {
      const what = `${node.name} ${rule.summary}${detail === undefined ? '' : `: ${detail}`}.`;
      return `<div class="alert ${rule.severity}"><p><span class="word">${rule.severity}</span> ${escapeHtml(what)} <span class="quiet">for ${span(now - startedAt)}</span></p>
<p class="quiet">${escapeHtml(rule.nextStep)}</p></div>`;
    });
  const none = '<div class="alert calm"><p><span class="word">No alert.</span> Nothing unusual was seen.</p></div>';
  return section('alerts', 'Alerts', `<div aria-live="polite">${list.join('') || none}</div>`);
}

function table(caption: string, heading: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return `<p class="quiet">${caption}: nothing yet.</p>`;
  const head = heading.map((name) => `<th scope="col">${name}</th>`).join('');
  const body = rows.map(
    ([first, ...rest]) => `<tr><th scope="row">${first}</th>${rest.map((cell) => `<td>${cell}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`;
}

function nodesTable(views: readonly NodeView[]): string {
  const rows = views.map(({ snapshot, states }) => {
    const { node, info, certificate, problem } = snapshot;
    const role =
      node.role === 'sentinel' ? 'sentinel' : { master: 'primary', slave: 'replica' }[info?.fields.get('role') ?? ''];
    const days = states['certificate_seconds_left'];
    const used = numberOfView(info && numberOf(info, 'used_memory'));
    return [
      `${escapeHtml(node.name)} <span class="quiet">${escapeHtml(`${node.deployment}, ${node.host}:${node.port}`)}</span>`,
      snapshot.up ? '<span class="ok">up</span>' : `<span class="bad">down</span> ${escapeHtml(problem ?? '')}`,
      role ?? 'unknown',
      escapeHtml(info?.fields.get('valkey_version') ?? info?.fields.get('redis_version') ?? '-'),
      info ? String(numberOf(info, 'connected_clients') ?? '-') : '-',
      used,
      certificate === undefined
        ? 'none seen'
        : `${certificate.trusted ? '<span class="ok">trusted</span>' : `<span class="bad">not trusted</span> ${escapeHtml(certificate.problem ?? '')}`}, ${Math.floor((days ?? 0) / 86_400)} days left, ${escapeHtml(certificate.protocol)}`,
    ];
  });
  return table('Servers', ['server', 'state', 'role', 'version', 'clients', 'memory', 'certificate'], rows);
}

function numberOfView(bytes: number | undefined): string {
  return bytes === undefined ? '-' : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}

function clientsTable(views: readonly NodeView[]): string {
  const counts = new Map<string, number>();
  for (const { clients, expected, snapshot } of views) {
    for (const { user, address } of clients ?? []) {
      const key = JSON.stringify([
        snapshot.node.deployment,
        userLabel(expected, user),
        address === '' ? 'this machine' : networkOf(address),
      ]);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  const rows = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([key, count]) => {
      const [deployment, user, network] = JSON.parse(key) as [string, string, string];
      return [escapeHtml(user), escapeHtml(network), String(count), escapeHtml(deployment)];
    });
  return table('Clients by user and network', ['user', 'network', 'connections', 'deployment'], rows);
}

const secretKinds = {
  password: 'password of',
  certificate: 'certificate',
  'encryption-keys': 'encryption keys',
} as const;

function secretsTable(states: ReadonlyMap<string, DeploymentState | undefined>): string {
  const rows = [...states].flatMap(([deployment, state]) => {
    if (!state) return [];
    const ages = state.secrets.map(({ kind, name, ageSeconds, overdue }) => [
      `${secretKinds[kind]} ${escapeHtml(name)}`,
      span(ageSeconds * 1000),
      overdue ? '<span class="bad">overdue</span>' : '<span class="ok">in time</span>',
      escapeHtml(deployment),
    ]);
    const backup = (what: string, age: number | undefined) => [
      what,
      age === undefined ? 'never recorded' : span(age * 1000),
      '',
      escapeHtml(deployment),
    ];
    return [
      ...ages,
      backup('newest backup', state.backupAgeSeconds),
      backup('newest proof by restore', state.restoreTestAgeSeconds),
    ];
  });
  return table('Ages of secrets and backups', ['what', 'age', 'state', 'deployment'], rows);
}

function eventsTable(events: readonly SeenEvent[]): string {
  const rows = events
    .slice(0, 50)
    .map(({ at, node, event, detail }) => [
      `<time datetime="${new Date(at).toISOString()}">${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC</time>`,
      escapeHtml(node.name),
      event,
      escapeHtml(detail),
    ]);
  return table('Events, newest first', ['time', 'server', 'event', 'detail'], rows);
}

/** A time span in its largest unit: `3 days`. */
function span(ms: number): string {
  const units: readonly [string, number][] = [
    ['day', 86_400_000],
    ['hour', 3_600_000],
    ['minute', 60_000],
    ['second', 1000],
  ];
  for (const [name, size] of units) {
    const count = Math.floor(ms / size);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'}`;
  }
  return 'a moment';
}
