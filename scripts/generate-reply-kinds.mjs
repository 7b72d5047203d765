// Writes packages/client/src/commands/reply-kinds.ts: what kind of value each command resolves with, read off the types
// in the sources. Run after a command was added or its reply changed; a test compares both.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from '@babel/parser';

const FOLDER = fileURLToPath(new URL('../packages/client/src/commands/', import.meta.url));

/** Letters of a type: t text, n number, b boolean, z null, l list, o object; undefined = not known. */
function kindsOf(type, aliases) {
  switch (type?.type) {
    case 'TSUnionType': {
      const parts = type.types.map((part) => kindsOf(part, aliases));
      return parts.includes(undefined) ? undefined : join(parts);
    }
    case 'TSNullKeyword':
      return 'z';
    case 'TSNumberKeyword':
      return 'n';
    case 'TSBooleanKeyword':
      return 'b';
    case 'TSStringKeyword':
      return 't';
    case 'TSParenthesizedType':
    case 'TSTypeOperator':
      return kindsOf(type.typeAnnotation, aliases);
    case 'TSArrayType':
    case 'TSTupleType':
      return 'l';
    case 'TSTypeLiteral':
      return 'o';
    case 'TSLiteralType': {
      const { literal } = type;
      return literal.type === 'NumericLiteral'
        ? 'n'
        : literal.type === 'StringLiteral'
          ? 't'
          : literal.type === 'BooleanLiteral'
            ? 'b'
            : undefined;
    }
    case 'TSTypeReference': {
      const name = type.typeName.name;
      if (TYPES[name] !== undefined) return TYPES[name];
      return aliases.get(name) === undefined
        ? undefined
        : kindsOf(aliases.get(name), new Map([...aliases].filter(([n]) => n !== name)));
    }
    default:
      return undefined;
  }
}
const TYPES = {
  Integer: 'n',
  Double: 'n',
  BlobString: 't',
  SimpleString: 't',
  RedisBoolean: 'b',
  MapOf: 'lo',
  SetOf: 'lo',
  Array: 'l',
  ReadonlyArray: 'l',
  Record: 'o',
};
const join = (parts) => [...new Set(parts.join(''))].sort().join('');

function* walk(node) {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') yield node;
  for (const [key, value] of Object.entries(node)) {
    if (key === 'loc' || key.endsWith('Comments')) continue;
    if (Array.isArray(value)) for (const item of value) yield* walk(item);
    else if (value !== null && typeof value === 'object') yield* walk(value);
  }
}

const files = readdirSync(FOLDER, { recursive: true }).filter(
  (name) => name.endsWith('.ts') && !name.includes('.test.'),
);
const programs = files.map(
  (name) => parse(readFileSync(FOLDER + name, 'utf8'), { sourceType: 'module', plugins: ['typescript'] }).program,
);
const aliases = new Map();
for (const program of programs)
  for (const node of walk(program)) {
    if (node.type === 'TSTypeAliasDeclaration' && node.typeParameters == null)
      aliases.set(node.id.name, node.typeAnnotation);
    if (node.type === 'TSInterfaceDeclaration') aliases.set(node.id.name, { type: 'TSTypeLiteral' });
  }

/** Name of a command -> letters; null where one of its types is not known. */
const kinds = new Map();
const note = (name, letters) => {
  const before = kinds.get(name);
  kinds.set(name, before === null || letters === undefined ? null : join([before ?? '', letters]));
};
for (const program of programs) {
  const specs = new Map();
  for (const node of walk(program)) {
    const init = node.type === 'VariableDeclarator' ? node.init : undefined;
    if (init?.type === 'CallExpression' && init.callee.name === 'spec' && init.arguments[0]?.type === 'StringLiteral')
      specs.set(node.id.name, init.arguments[0].value);
  }
  const typed = new Set();
  const replyType = (type) =>
    type?.type === 'TSTypeReference' && type.typeName.name === 'Command' ? type.typeParameters?.params[0] : undefined;
  for (const node of walk(program)) {
    if (/Function/.test(node.type) && node.returnType?.typeAnnotation) {
      const type = replyType(node.returnType.typeAnnotation);
      if (type !== undefined)
        for (const inner of walk(node.body))
          if (inner.type === 'NewExpression' && inner.callee.name === 'Command' && inner.typeParameters == null) {
            typed.add(inner);
            const name = specs.get(inner.arguments[0]?.name);
            if (name !== undefined) note(name, kindsOf(type, aliases));
          }
    }
  }
  for (const node of walk(program)) {
    if (node.type === 'NewExpression' && node.callee.name === 'Command' && !typed.has(node)) {
      const name = specs.get(node.arguments[0]?.name);
      if (name !== undefined) note(name, kindsOf(node.typeParameters?.params[0], aliases));
    }
  }
  // A spec that is handed to a helper has a reply that is not read here.
  const direct = new Set();
  for (const node of walk(program))
    if (node.type === 'NewExpression' && node.callee.name === 'Command') direct.add(node.arguments[0]);
  for (const node of walk(program))
    if (node.type === 'CallExpression' && node.callee.name !== 'spec')
      for (const argument of node.arguments)
        if (argument.type === 'Identifier' && specs.has(argument.name) && !direct.has(argument))
          note(specs.get(argument.name), undefined);
}

const known = [...kinds]
  .filter(([, letters]) => letters !== null && letters !== '')
  .sort(([a], [b]) => (a < b ? -1 : 1));
const byLetters = Map.groupBy === undefined ? group(known) : group(known);
function group(entries) {
  const groups = new Map();
  for (const [name, letters] of entries) groups.set(letters, [...(groups.get(letters) ?? []), name]);
  return groups;
}

export function render() {
  const rows = [...byLetters]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([letters, names]) => `  ${letters}:\n${wrap(names)},`)
    .join('\n');
  return `// Written by scripts/generate-reply-kinds.mjs from the types of the commands.

/**
 * What a command resolves with, by its type: t text, n number, b boolean, z null, l list, o object. Names are separated
 * by commas. A command that is not here may resolve with anything.
 */
export const REPLY_KINDS: Readonly<Record<string, string>> = {
${rows}
};
`;
}

function wrap(names) {
  const lines = [];
  let line = '';
  for (const name of names) {
    if (line !== '' && line.length + name.length > 105) {
      lines.push(line);
      line = '';
    }
    line += `${name},`;
  }
  lines.push(line.slice(0, -1));
  return lines.map((text) => `    '${text}'`).join(' +\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(`${FOLDER}reply-kinds.ts`, render());
  console.log(`${known.length} of ${kinds.size} commands`);
}
