// Writes docs/errors.md from the client's table of errors. Run after `npm run build`; a test compares both.
import { writeFileSync } from 'node:fs';
import { ERRORS } from '../packages/client/dist/errors.js';
import { NETWORK_ERRORS } from '../packages/client/dist/network/network-errors.js';

const rows = Object.entries(ERRORS)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([code, [shown, next]]) => `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${shown} | ${next} |`)
  .join('\n');

const networkRows = Object.entries(NETWORK_ERRORS)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([code, next]) => `| <a id="${code.toLowerCase()}"></a>\`${code}\` | ${next} |`)
  .join('\n');

writeFileSync(
  new URL('../docs/errors.md', import.meta.url),
  `# Errors

Every error of \`redkeep\` has a stable \`code\`, a \`hint\` with the next step, \`docs\` (the URL of its row below), and
\`toPublic()\`: a code and a sentence that may be shown to end users. All are instances of \`RedkeepError\`, as are those of
\`@redkeep/guard\` and \`@redkeep/cli\`. Messages name the command and the position of an argument, never its value. What the
server said is in \`error.serverMessage\` (error replies only); it can echo arguments, so log it deliberately.

| code | what end users may read | what to do |
|---|---|---|
${rows}

## Network errors

If the system cannot open a connection, or loses it, \`connect()\` rejects with a \`NetworkError\`, and \`error\` events carry
one. Its \`code\` is the system's, as in node-redis and ioredis, because programs compare it: \`ECONNREFUSED\`,
\`ENOTFOUND\` … After the start-up limit \`connect()\` rejects with a \`StartupError\` of the same code. \`errno\`, \`syscall\`, \`address\` and \`port\` are the system's too, and \`cause\` is Node.js's own error.
\`toPublic().code\` is always \`REDKEEP_CONNECT_FAILED\`. Commands reject with the codes above, with the network error as
their \`cause\`.

| code | what to do |
|---|---|
${networkRows}
`,
);
