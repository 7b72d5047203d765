import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Context } from '../context.js';
import { readIfPresent } from '../files/read-if-present.js';
import { createPassword } from '../secrets/password.js';

/** The password of the live page, made once, for its owner alone; the terminal names the file and never the text. */
export async function pagePassword(context: Context, folder: string): Promise<string> {
  const file = path.join(folder, 'secrets', 'monitor-page.password');
  const known = (await readIfPresent(file))?.trim();
  if (known) return known;
  const password = createPassword();
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  context.terminal.note(`The password of the live page is in ${file}.`);
  return password;
}
