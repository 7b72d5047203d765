import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import type { Context } from '../../../context.js';
import { CliError, explainSystemError } from '../../../errors.js';
import { roleNames } from '../../../vocabulary/names.js';

const text = z.string().trim().min(1);

const entrySchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][\w.-]{0,63}$/, 'letters, digits, dot, dash and underscore, at most 64'),
  /** URL, folder or files, as `redkeep audit` takes them. */
  target: z.union([text, z.array(text).min(1)]),
  user: text.optional(),
  passwordFile: text.optional(),
  ca: text.optional(),
  cert: text.optional(),
  key: text.optional(),
  profile: z.enum(['development', 'production', 'regulated']).optional(),
  data: z.enum(['cache', 'store']).optional(),
  names: z.array(text).optional(),
  roles: z.record(z.string(), z.enum(roleNames)).optional(),
  records: text.optional(),
  waivers: text.optional(),
  follow: z.boolean().optional(),
});

/** One deployment of the inventory; paths count from the inventory's folder. */
export type InventoryEntry = z.infer<typeof entrySchema>;

export interface Inventory {
  readonly file: string;
  readonly folder: string;
  readonly entries: readonly InventoryEntry[];
}

/** Reads the inventory (YAML or JSON). Everything wrong in it is said at once, each at its line, and nothing is audited. */
export async function readInventory({ cwd }: Context, name: string): Promise<Inventory> {
  const file = path.resolve(cwd, name);
  const content = await readFile(file, 'utf8').catch((error: unknown) => {
    throw explainSystemError(error, file);
  });
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, schema: 'core', prettyErrors: false });
  const complaints: { line: number; text: string }[] = [];
  const complain = (offset: number, what: string) => complaints.push({ line: lines.linePos(offset).line, text: what });
  for (const error of document.errors) complain(error.pos[0], error.message);
  const list = isMap(document.contents) ? document.get('targets', true) : document.contents;
  const entries: InventoryEntry[] = [];
  const seen = new Set<string>();
  if (!isSeq(list)) {
    if (complaints.length === 0) complain(0, 'expected "targets:" with a list of deployments');
  } else
    for (const item of list.items) {
      const start = isNode(item) ? (item.range?.[0] ?? 0) : 0;
      const parsed = entrySchema.safeParse(isNode(item) ? item.toJS(document) : item);
      if (!parsed.success) {
        for (const { path: where, message } of parsed.error.issues)
          complain(offsetOf(item, where) ?? start, `${where.join('.') || 'deployment'}: ${message}`);
        continue;
      }
      const embedded = [parsed.data.target].flat().find((one) => /^\w+:\/\/[^/@]*:[^/@]+@/.test(one));
      if (embedded !== undefined)
        complain(offsetOf(item, ['target']) ?? start, 'target: has a password in it; use user and passwordFile');
      if (seen.has(parsed.data.name))
        complain(offsetOf(item, ['name']) ?? start, `name: ${parsed.data.name} is there twice`);
      seen.add(parsed.data.name);
      entries.push(parsed.data);
    }
  if (complaints.length === 0 && entries.length === 0) complain(0, 'there is no deployment in it');
  if (complaints.length > 0) {
    const said = complaints.sort((a, b) => a.line - b.line).map((one) => `${name}:${one.line}: ${one.text}`);
    throw new CliError('REDKEEP_USAGE', `${said.join('\n')}`, 'Correct these lines; nothing was audited.');
  }
  return { file, folder: path.dirname(file), entries };
}

/** The position of a field in the text; for an unknown field, its name. */
function offsetOf(item: unknown, where: readonly PropertyKey[]): number | undefined {
  let node = item;
  let found: number | undefined;
  for (const step of where) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) return found;
      found = isNode(pair.key) ? pair.key.range?.[0] : found;
      node = pair.value;
    } else if (isSeq(node) && typeof step === 'number') {
      node = node.items[step];
      found = isNode(node) ? node.range?.[0] : found;
    } else return found;
  }
  return found;
}
