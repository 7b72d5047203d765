import type { Deployment } from '../model.js';
import { oneLine } from '../quote.js';
import type { RenderedFile } from './rendered-file.js';

/** DECISIONS.md: each hardening choice with its reason, the risk before and after, and how to see that it holds. */
export function renderDecisions(deployment: Deployment): RenderedFile {
  const { engine, profile, topology, target, decisions } = deployment;
  const text = [
    `# Decisions: ${escapeMarkdown(oneLine(deployment.name))}`,
    '',
    `${engine.name} ${engine.version}, ${topology}, ${profile} profile, target ${target}. Written by \`redkeep init\`.`,
    '',
    '| | decision | risk before | risk after |',
    '|---|---|---|---|',
    ...decisions.map(({ id, title, riskBefore, riskAfter }) => `| ${id} | ${title} | ${riskBefore} | ${riskAfter} |`),
    '',
    ...decisions.flatMap(({ id, title, choice, reason, proof }) => [
      `## ${id}: ${title}`,
      '',
      `- **Choice:** ${choice}`,
      `- **Reason:** ${reason}`,
      `- **How to see it:** ${proof}`,
      '',
    ]),
  ];
  return { path: 'DECISIONS.md', mode: 0o644, content: text.join('\n') };
}

export function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+!|<>~&-]/g, '\\$&');
}
