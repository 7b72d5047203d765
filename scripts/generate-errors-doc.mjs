// Writes docs/errors.md from the client's table of errors. Run after `npm run build`; a test compares both.
import { writeFileSync } from 'node:fs';
import { ERRORS } from '../packages/client/dist/errors.js';

const rows = Object.entries(ERRORS)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([code, [shown, next]]) => `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${shown} | ${next} |`)
  .join('\n');

writeFileSync(
  new URL('../docs/errors.md', import.meta.url),
  `# Errors

Every error of \`redkeep\` has a stable \`code\`, a \`hint\` with the next step, \`docs\` (its row below), and
\`toPublic()\`: a code and a sentence that may be shown to end users. All are instances of \`RedkeepError\`, those of
\`@redkeep/guard\` and \`@redkeep/cli\` too. Messages name the command and the position of an argument, never its value. What the server
said is in \`error.serverMessage\` (error replies only); it can echo arguments, so log it deliberately.

Failures of the network itself while connecting keep Node's own codes (\`ECONNREFUSED\`, \`ENOTFOUND\` …), as in node-redis;
commands always reject with the codes below, with the network's error in \`cause\`.

| code | what end users may read | what to do |
|---|---|---|
${rows}
`,
);
