import { readdir } from 'node:fs/promises';
import type { ServerAssessment } from '../assess.js';
import { ContainmentJournal } from '../contain/journal.js';
import type { IncidentEvent, IncidentFolder } from '../folder.js';
import type { Judgement } from '../indicators/indicator.js';
import type { Reach } from '../reach/reach.js';

export interface TimelineEntry {
  /** ISO time. */
  readonly at: string;
  /** Who or what says so. */
  readonly source: string;
  readonly text: string;
}

/** All that the folder of an incident knows. */
export interface IncidentFacts {
  readonly aware: Date;
  readonly timeline: readonly TimelineEntry[];
  /** Time of the first trace, ISO. */
  readonly firstSign: string | undefined;
  readonly found: readonly (Judgement & { readonly address: string })[];
  readonly notFound: readonly (Judgement & { readonly address: string })[];
  readonly notLooked: readonly (Judgement & { readonly address: string })[];
  readonly reach: readonly (Reach & { readonly address: string })[];
  readonly done: readonly string[];
  readonly decisions: readonly IncidentEvent[];
  readonly evidence: readonly IncidentEvent[];
}

interface Kept {
  readonly target: string;
  readonly servers: readonly ServerAssessment[];
}

/** Reads the folder; the newest assessment of each server counts for what was found, all of them for the timeline. */
export async function readFacts(incident: IncidentFolder): Promise<IncidentFacts> {
  const events = await incident.events();
  const names = (await readdir(incident.folder)).filter((name) => /^assessment-.*\.json$/.test(name)).sort();
  const newest = new Map<string, ServerAssessment>();
  const traces: TimelineEntry[] = [];
  for (const name of names) {
    const { servers } = await incident.read<Kept>(name);
    for (const server of servers) {
      newest.set(server.address, server);
      for (const { title, signs } of server.judgements)
        for (const { at, place, text } of signs)
          if (at) traces.push({ at, source: `${server.address}, ${place}`, text: `${title}: ${text}` });
    }
  }
  const judgements = [...newest.values()].flatMap(({ address, judgements: all }) =>
    all.map((judgement) => ({ ...judgement, address })),
  );
  const journal = await ContainmentJournal.open(incident);
  const contained = journal.entries.map(({ step, node, state, at }) => ({
    at,
    source: node,
    text: `containment step ${step}: ${state}`,
  }));
  const recorded = events.map(({ at, kind, text }) => ({ at, source: kind, text }));
  const signs = distinct(traces).sort(byTime);
  const aware = events.findLast(({ kind }) => kind === 'aware') ?? events[0];
  return {
    aware: new Date(aware?.at ?? 0),
    timeline: distinct([...signs, ...contained, ...recorded]).sort(byTime),
    firstSign: signs[0]?.at,
    found: judgements.filter(({ outcome }) => outcome === 'found'),
    notFound: judgements.filter(({ outcome }) => outcome === 'not-found'),
    notLooked: judgements.filter(({ outcome }) => outcome === 'not-looked'),
    reach: [...newest.values()].flatMap(({ address, reach }) =>
      reach.observed ? reach.value.map((row) => ({ ...row, address })) : [],
    ),
    done: events
      .filter(({ kind }) => /^(?:contained|released|recovered)$/.test(kind))
      .map(({ at, text }) => `${at}: ${text}`),
    decisions: events.filter(({ kind }) => kind === 'decided'),
    evidence: events.filter(({ kind }) => kind === 'collected'),
  };
}

function byTime(a: TimelineEntry, b: TimelineEntry): number {
  return a.at < b.at ? -1 : a.at > b.at ? 1 : 0;
}

function distinct(entries: readonly TimelineEntry[]): TimelineEntry[] {
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}
