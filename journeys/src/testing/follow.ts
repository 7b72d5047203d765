/** Types what a page says, and compares what is printed with what the page shows. */
import assert from 'node:assert/strict';
import type { Machine, Terminal } from './machine.js';
import { blocksBelow, blocksOf, commandsOf, missingLines } from './markdown.js';

/** Types a command that has to succeed. */
export async function succeed(terminal: Terminal, command: string, timeout?: number): Promise<string> {
  const { exitCode, output } = await terminal.run(command, timeout);
  assert.equal(exitCode, 0, `${command}\n${output}`);
  return output;
}

/** The command lines below a heading of a page. */
export async function commandsBelow(page: string, heading: string): Promise<string[]> {
  return (await blocksBelow(page, heading, 'sh')).flatMap(commandsOf);
}

/** Types the commands below a heading. */
export async function follow(terminal: Terminal, page: string, heading: string): Promise<string> {
  let output = '';
  for (const command of await commandsBelow(page, heading)) output += `${await succeed(terminal, command)}\n`;
  return output;
}

/** The output that a page shows below a heading. */
export async function shownBelow(page: string, heading: string): Promise<string> {
  return (await blocksOf(page))
    .filter((block) => block.heading === heading && block.marks.includes('output'))
    .map(({ text }) => text)
    .join('\n');
}

/** Types the commands below a heading; what the page shows as output has been printed. */
export async function followed(terminal: Terminal, page: string, heading: string): Promise<string> {
  const output = await follow(terminal, page, heading);
  assert.deepEqual(missingLines(output, await shownBelow(page, heading)), [], output);
  return output;
}

/** Saves the program below a heading under the name that the page gives it. */
export async function save(machine: Machine, page: string, heading: string, name: string): Promise<void> {
  const [program] = await blocksBelow(page, heading, 'mjs');
  await machine.write(name, `${program!.text}\n`);
}
