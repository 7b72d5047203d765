import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const sources = fileURLToPath(new URL('../../../src/', import.meta.url));

test('every redkeep command that a finding, a file or a message names exists', async () => {
  const commands = new Set(
    (await readdir(join(sources, 'commands'), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name),
  );
  const unknown: string[] = [];
  for (const file of await readdir(sources, { recursive: true })) {
    if (!file.endsWith('.ts') || file.includes('.test.')) continue;
    const text = await readFile(join(sources, file), 'utf8');
    for (const [mention, command] of text.matchAll(/(?<![\w@/'-])redkeep (\w+)/g)) {
      // "redkeep client", "redkeep API" speak of the packages.
      if (
        /^(init|up|down|status|logs|cli|acl|certs|audit|rotate|monitor|backup|restore|incident|doctor|migrate)$/.test(
          command!,
        ) &&
        !commands.has(command!)
      )
        unknown.push(`${file}: ${mention}`);
    }
  }
  assert.deepEqual(unknown, []);
});
