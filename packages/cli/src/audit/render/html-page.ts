import { htmlStyle } from './html-assets.js';

export interface HtmlPage {
  /** Escaped. */
  readonly title: string;
  /** HTML of `main`. */
  readonly main: string;
  /** What runs after it; without one, the page forbids scripts. */
  readonly script?: string;
}

/** A page in one file that loads nothing: its policy allows the style and the script that are in it. */
export function htmlPage({ title, main, script }: HtmlPage): string {
  const policy = ["default-src 'none'", "style-src 'unsafe-inline'", ...(script ? ["script-src 'unsafe-inline'"] : [])];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="${policy.join('; ')}">
<title>${title}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
${main}
</main>
${script ? `<script>${script}</script>\n` : ''}</body>
</html>
`;
}
