/** `docs/checks.md` and a page per check, from the checks themselves. */
import { areas, type Check } from '../../../packages/cli/dist/audit/checks/check.js';
import { checks } from '../../../packages/cli/dist/audit/checks/index.js';
import { mappings, standardSources, standards } from '../../../packages/cli/dist/audit/checks/mappings.js';
import { pageOf } from '../../../packages/cli/dist/audit/checks/page.js';
import { cvssScore } from '../../../packages/cli/dist/audit/verdict/cvss.js';
import { cell } from './declarations.js';

export { checks, pageOf };

const sorted = [...checks].sort((a, b) => (a.id < b.id ? -1 : 1));
const inArea = (area: string) => sorted.filter(({ id }) => id.startsWith(`${area}-`));

/** The rating of a CVSS 3.1 score. */
function severityOf({ cvss }: Check): string {
  if (cvss === null) return 'info';
  const score = cvssScore(cvss);
  const rating = score >= 9 ? 'critical' : score >= 7 ? 'high' : score >= 4 ? 'medium' : 'low';
  return `${rating} ${score.toFixed(1)}`;
}

export function checksTable(): string {
  return Object.entries(areas)
    .map(([area, title]) => {
      const rows = inArea(area).map(
        (check) =>
          `| [${check.id}](${pageOf(check)}) | ${cell(check.title)} | ${cell(check.passes)} | ${severityOf(check)} | ${check.from ?? 'development'} |`,
      );
      return `## ${title}\n\n| Check | Finding | Passes when | Severity | From profile |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}`;
    })
    .join('\n\n');
}

const full = (text: string) => (/[.!?]$/.test(text) ? text : `${text}.`);
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export function checkPage(check: Check): string {
  const [area] = check.id.split('-') as [keyof typeof areas];
  const engines = Object.entries(check.engines ?? {}).map(([engine, since]) =>
    since === '0' ? engine : `${engine} ${since} and later`,
  );
  const clauses = Object.entries(mappings[check.maps]).filter(([, list]) => list.length > 0);
  const facts = [
    [
      'severity',
      check.cvss === null ? 'info: worth knowing, not scored' : `${severityOf(check)} (CVSS 3.1 \`${check.cvss}\`)`,
    ],
    ['asked from profile', check.from ?? 'development'],
    ['engines', engines.length > 0 ? engines.join(', ') : 'all'],
    [
      'judged',
      'judge' in check ? `for every node${check.dataOnly ? ' that holds data' : ''}` : 'once for the deployment',
    ],
    ...(check.effort ? [['effort of the fix', check.effort]] : []),
    ...(check.sources && check.sources.length > 0 ? [['also known as', check.sources.join(', ')]] : []),
  ];
  return `# ${check.id}: ${check.title}

${full(check.why)}

**Passes when:** ${cell(full(check.passes))}

| | |
|---|---|
${facts.map(([name, value]) => `| ${name} | ${cell(value!)} |`).join('\n')}

## Find it

\`\`\`text
redkeep audit                            # lists it with evidence and the fix for this server
redkeep audit --fix                      # shows the changes it can make and undo, and asks
\`\`\`

To accept it for a time, with a reason, use a waiver: [audit](../audit.md#in-ci).

## Clauses it maps to

"Maps to" means evidence for an assessor, not compliance.

| standard | clauses |
|---|---|
${clauses.map(([standard, list]) => `| ${standards[standard as keyof typeof standards]} ${standardSources[standard as keyof typeof standardSources].map((url) => `([text](${url}))`).join(' ')} | ${list.join(', ')} |`).join('\n')}

${capital(areas[area].toLowerCase())}: [all checks](../checks.md#${areas[area].toLowerCase().replaceAll(' ', '-')}).
`;
}
