import type { Block, Section } from './document.js';
import type { IncidentFacts } from './facts.js';

export const regulators = ['gdpr', 'ley-1581'] as const;
export type Regulator = (typeof regulators)[number];

/** What only people know. */
const byPeople = 'TO BE COMPLETED';

const hourMs = 3_600_000;

/** Days from Monday to Friday; public holidays are not known here, so that the date is never too late. */
export function workingDaysAfter(from: Date, days: number): Date {
  const date = new Date(from);
  for (let left = days; left > 0; ) {
    date.setUTCDate(date.getUTCDate() + 1);
    if (date.getUTCDay() !== 0 && date.getUTCDay() !== 6) left -= 1;
  }
  return date;
}

/** The last moment to notify. */
export function deadlineOf(regulator: Regulator, aware: Date): Date {
  return regulator === 'gdpr' ? new Date(aware.getTime() + 72 * hourMs) : workingDaysAfter(aware, 15);
}

/** What is asked for, with what is known filled in. */
export function notification(regulator: Regulator, facts: IncidentFacts): Section {
  const deadline = deadlineOf(regulator, facts.aware).toISOString();
  const { found, reach, done } = facts;
  const nature =
    found.length > 0
      ? `Found: ${found.map(({ title }) => title).join('; ')}.`
      : 'No trace was found where it could be looked for.';
  const open = reach.filter((row) => !row.open.startsWith('to nobody'));
  const reachable = open.map(
    (row) => `${row.user} (open ${row.open}): keys ${row.keys.join(' ') || 'none'}, since ${row.since ?? 'not known'}`,
  );
  const measures = done.length > 0 ? done : ['None was taken with this tool.'];
  const table = (rows: readonly (readonly [string, string])[]): Block => ({
    kind: 'table',
    heading: ['asked for', 'answer'],
    rows,
  });
  if (regulator === 'gdpr')
    return {
      title: 'Notification to the supervisory authority (GDPR article 33)',
      blocks: [
        {
          kind: 'text',
          text: `Aware since ${facts.aware.toISOString()}. Notify by ${deadline} (72 hours), unless a risk to persons is unlikely. What is not known yet may follow in phases (article 33(4)); a later notification says why it is late.`,
        },
        table([
          ['33(3)(a) nature of the breach', nature],
          ['33(3)(a) data that was reachable', reachable.join('; ') || 'not known'],
          ['33(3)(a) categories and number of persons and records', byPeople],
          ['33(3)(b) data protection officer or contact', byPeople],
          ['33(3)(c) likely consequences', byPeople],
          ['33(3)(d) measures taken or proposed', measures.join('; ')],
          ['33(5) documentation', 'this report and the evidence that it names'],
          ['34 are the persons to be told? (high risk)', byPeople],
        ]),
      ],
    };
  return {
    title: 'Report to the Superintendencia de Industria y Comercio (Ley 1581 of 2012)',
    blocks: [
      {
        kind: 'text',
        text: `Detected ${facts.aware.toISOString()}. Articles 17(n) (controller) and 18(k) (processor) ask to inform the authority of breaches of security codes. The registry of databases (RNBD) takes the report within 15 working days of detection: by ${deadline.slice(0, 10)}, counted without public holidays. Have counsel confirm rule and date.`,
      },
      table([
        ['type of incident', nature],
        ['date of the incident', facts.firstSign ?? 'not known'],
        ['date of detection', facts.aware.toISOString()],
        ['databases and data affected', reachable.join('; ') || 'not known'],
        ['number of persons (titulares)', byPeople],
        ['measures taken', measures.join('; ')],
        ['contact', byPeople],
      ]),
    ],
  };
}
