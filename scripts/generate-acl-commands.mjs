#!/usr/bin/env node
// Writes packages/cli/data/commands.json: every command that the engines found on this machine have, with ACL categories
// and key uses, for audits of ACL files and of servers that do not answer COMMAND. The newest engine's word counts.
//   npm run build && node scripts/generate-acl-commands.mjs
import { writeFile } from 'node:fs/promises';
import { findEngines, startServer } from '@redkeep/testing';
import { readServerCommands } from '../packages/cli/dist/acl/server-commands.js';

const byAge = [...findEngines()].sort((a, b) => a.version.localeCompare(b.version, undefined, { numeric: true }));
const engines = [...byAge.filter(({ kind }) => kind === 'redis'), ...byAge.filter(({ kind }) => kind === 'valkey')];
const commands = {};
for (const engine of engines) {
  const server = await startServer({ engine });
  try {
    Object.assign(commands, readServerCommands(await server.command('COMMAND')));
  } finally {
    await server.stop();
  }
}
const use = ({ read, write, optional }) =>
  `${read ? 'r' : ''}${write ? 'w' : ''}${read || write ? '' : '-'}${optional ? '?' : ''}`;
const line = ({ arity, categories, container, noAuth, channels, keys }) =>
  [
    arity,
    `${container ? 'C' : ''}${noAuth ? 'A' : ''}${channels ? 'P' : ''}` || '-',
    categories.map((one) => one.slice(1)).join(',') || '-',
    ...keys.map(use),
  ].join(' ');
const sorted = Object.entries(commands).sort(([a], [b]) => (a < b ? -1 : 1));
const content = {
  from: engines.map(({ kind, version }) => `${kind} ${version}`).join(', '),
  commands: Object.fromEntries(sorted.map(([name, command]) => [name, line(command)])),
};
await writeFile(
  new URL('../packages/cli/data/commands.json', import.meta.url),
  `${JSON.stringify(content, null, 2)}\n`,
);
console.log(`${sorted.length} commands of ${engines.length} engines`);
