import type { Block, ReportDocument, Section } from './document.js';
import type { IncidentFacts } from './facts.js';
import { notification, type Regulator } from './regulator.js';

/** The report for people; with a regulator also what that one asks for, with what is known filled in. */
export function makeReport(facts: IncidentFacts, regulators: readonly Regulator[], now: Date): ReportDocument {
  return {
    title: `Incident report, ${now.toISOString()}`,
    sections: [
      summary(facts),
      timeline(facts),
      traces(facts),
      reachable(facts),
      done(facts),
      ...regulators.map((regulator) => notification(regulator, facts)),
    ],
  };
}

function summary({ aware, firstSign, found, notLooked, reach, done: actions }: IncidentFacts): Section {
  const open = reach.filter((row) => row.open === 'to anybody who reaches the port');
  return {
    title: 'Summary',
    blocks: [
      {
        kind: 'list',
        items: [
          `Aware since ${aware.toISOString()}; the first trace is of ${firstSign ?? 'a time that is not known'}.`,
          found.length > 0
            ? `Found: ${[...new Set(found.map(({ title }) => title))].join('; ')}.`
            : 'No trace was found where it could be looked for. That does not mean that there was none.',
          `Could not be looked at: ${notLooked.length === 0 ? 'nothing as a whole' : notLooked.map(({ title }) => title).join('; ')}.`,
          open.length > 0
            ? `Open to anybody who reached the port: ${open.map((row) => `${row.user} on ${row.address}`).join('; ')}. Everything that these users could read counts as read.`
            : 'No user was open without a password when it was looked at.',
          actions.length > 0 ? `${actions.length} actions were taken, below.` : 'Nothing was done with this tool yet.',
        ],
      },
    ],
  };
}

function timeline({ timeline: entries }: IncidentFacts): Section {
  return {
    title: 'Timeline',
    blocks: [
      {
        kind: 'table',
        heading: ['time (UTC)', 'source', 'what'],
        rows: entries.map(({ at, source, text }) => [at, source, text]),
      },
    ],
  };
}

function traces({ found, notFound, notLooked }: IncidentFacts): Section {
  const rows = [...found, ...notFound, ...notLooked].map((judgement) => [
    judgement.address,
    judgement.title,
    { found: 'FOUND', 'not-found': 'not found', 'not-looked': 'could not look' }[judgement.outcome],
    [
      ...judgement.signs.map(({ place, text }) => `${place}: ${text}`),
      ...judgement.notLooked.map(({ place, reason }) => `not looked at ${place}: ${reason}`),
    ].join('; '),
  ]);
  return {
    title: 'Traces',
    blocks: [{ kind: 'table', heading: ['server', 'indicator', 'outcome', 'evidence'], rows }],
  };
}

function reachable({ reach }: IncidentFacts): Section {
  return {
    title: 'Who could reach what',
    blocks: [
      {
        kind: 'table',
        heading: ['server', 'user', 'open', 'keys', 'can', 'since', 'connected from'],
        rows: reach.map((row) => [
          row.address,
          row.user,
          row.open,
          row.keys.join(' ') || 'none',
          row.powers.join('; ') || 'nothing beyond its keys',
          `${row.since ?? 'not known'}: ${row.because}`,
          row.connectedFrom.join(' ') || 'nobody when it was looked at',
        ]),
      },
    ],
  };
}

function done({ done: actions, decisions, evidence }: IncidentFacts): Section {
  const list = (items: readonly string[], none: string): Block =>
    items.length > 0 ? { kind: 'list', items } : { kind: 'text', text: none };
  return {
    title: 'What was done and decided',
    blocks: [
      list(actions, 'Nothing was done with this tool.'),
      list(
        decisions.map(({ at, text }) => `${at}: ${text}`),
        'No decision was noted (redkeep incident note).',
      ),
      list(
        evidence.map(({ at, text, file }) => `${at}: ${text} ${file ?? ''}`),
        'No evidence was collected.',
      ),
    ],
  };
}
