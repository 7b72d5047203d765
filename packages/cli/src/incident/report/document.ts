import { escapeHtml } from '../../html/escape-html.js';

/** A part of a report, the same for Markdown and HTML. */
export type Block =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly heading: readonly string[]; readonly rows: readonly (readonly string[])[] };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface ReportDocument {
  readonly title: string;
  readonly sections: readonly Section[];
}

/** Text of servers and intruders: it must not become markup, a link or another cell. */
function markdownText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_{}[\]<>()#+!|~]/g, (character) => `\\${character}`)
    .replace(/:\/\//g, ':&#47;&#47;');
}

export function renderMarkdown({ title, sections }: ReportDocument): string {
  const parts = sections.map((section) =>
    [`## ${markdownText(section.title)}`, ...section.blocks.map(markdownBlock)].join('\n\n'),
  );
  return `# ${markdownText(title)}\n\n${parts.join('\n\n')}\n`;
}

function markdownBlock(block: Block): string {
  if (block.kind === 'text') return markdownText(block.text);
  if (block.kind === 'list') return block.items.map((item) => `- ${markdownText(item)}`).join('\n');
  const row = (cells: readonly string[]): string => `| ${cells.map(markdownText).join(' | ')} |`;
  return [row(block.heading), `|${block.heading.map(() => '---|').join('')}`, ...block.rows.map(row)].join('\n');
}

const style =
  'body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}' +
  'table{border-collapse:collapse;width:100%}td,th{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top;' +
  'overflow-wrap:anywhere}th{background:#eee}h2{margin-top:2rem}';

/** A page without scripts, links and anything from elsewhere. */
export function renderHtml({ title, sections }: ReportDocument): string {
  const body = sections.map(
    (section) => `<h2>${escapeHtml(section.title)}</h2>\n${section.blocks.map(htmlBlock).join('\n')}`,
  );
  return (
    `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">` +
    `<title>${escapeHtml(title)}</title><style>${style}</style></head><body>\n<h1>${escapeHtml(title)}</h1>\n` +
    `${body.join('\n')}\n</body></html>\n`
  );
}

function htmlBlock(block: Block): string {
  if (block.kind === 'text') return `<p>${escapeHtml(block.text)}</p>`;
  if (block.kind === 'list') return `<ul>${block.items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
  const row = (cells: readonly string[], tag: 'td' | 'th'): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${row(block.heading, 'th')}${block.rows.map((cells) => row(cells, 'td')).join('')}</table>`;
}
