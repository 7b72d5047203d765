/** What a package exports, read from its declarations: names, doc comments and types as users see them. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ParseResult, parse } from '@babel/parser';

type Statement = ParseResult['program']['body'][number];

export type Kind = 'class' | 'function' | 'value' | 'interface' | 'type';

export interface Declaration {
  readonly name: string;
  readonly kind: Kind;
  /** Doc comment without its stars; empty where there is none. */
  readonly comment: string;
  /** As it is written in the declaration file. */
  readonly text: string;
  readonly file: string;
  /** Of an interface: its own members, and the names of what it extends. */
  readonly members: readonly Member[];
  readonly parents: readonly string[];
}

export interface Member {
  readonly name: string;
  readonly type: string;
  readonly comment: string;
}

const KINDS: Readonly<Record<string, Kind>> = {
  ClassDeclaration: 'class',
  DeclareClass: 'class',
  TSDeclareFunction: 'function',
  FunctionDeclaration: 'function',
  VariableDeclaration: 'value',
  TSInterfaceDeclaration: 'interface',
  TSTypeAliasDeclaration: 'type',
};

interface ParsedFile {
  readonly own: ReadonlyMap<string, Declaration>;
  readonly statements: readonly Statement[];
}

const parsed = new Map<string, ParsedFile>();

/** The declarations of one `.d.ts` file by name, exported or not. */
export function declarationsOf(file: string): ReadonlyMap<string, Declaration> {
  return parseFile(file).own;
}

function parseFile(file: string): ParsedFile {
  const known = parsed.get(file);
  if (known) return known;
  const text = readFileSync(file, 'utf8');
  const { program } = parse(text, { sourceType: 'module', plugins: [['typescript', { dts: true }]] });
  const own = new Map<string, Declaration>();
  for (const statement of program.body) {
    const inner =
      statement.type === 'ExportNamedDeclaration' && statement.declaration ? statement.declaration : statement;
    const kind = KINDS[inner.type];
    if (kind === undefined) continue;
    for (const name of namesOf(inner)) {
      if (own.has(name)) continue;
      own.set(name, {
        name,
        kind,
        comment: commentOf(statement),
        text: text.slice(inner.start!, inner.end!),
        file,
        members: inner.type === 'TSInterfaceDeclaration' ? membersOf(inner.body.body, text) : [],
        parents:
          inner.type === 'TSInterfaceDeclaration'
            ? (inner.extends ?? []).flatMap(({ expression }) =>
                expression.type === 'Identifier' ? [expression.name] : [],
              )
            : [],
      });
    }
  }
  const result = { own, statements: program.body };
  parsed.set(file, result);
  return result;
}

function namesOf(node: Statement | { readonly type: string }): string[] {
  if (node.type === 'VariableDeclaration')
    return (node as Extract<Statement, { type: 'VariableDeclaration' }>).declarations.flatMap(({ id }) =>
      id.type === 'Identifier' ? [id.name] : [],
    );
  const { id } = node as { readonly id?: { readonly name?: string } | null };
  return id?.name === undefined ? [] : [id.name];
}

function membersOf(
  body: Extract<Statement, { type: 'TSInterfaceDeclaration' }>['body']['body'],
  text: string,
): Member[] {
  return body.flatMap((member) => {
    if (member.type !== 'TSPropertySignature' && member.type !== 'TSMethodSignature') return [];
    if (member.key.type !== 'Identifier') return [];
    const type =
      member.type === 'TSPropertySignature' && member.typeAnnotation
        ? text.slice(member.typeAnnotation.start! + 1, member.typeAnnotation.end!).trim()
        : text.slice(member.key.end!, member.end!).replace(/^\?|;$/g, '');
    return [{ name: member.key.name, type, comment: commentOf(member) }];
  });
}

function commentOf(node: { readonly leadingComments?: readonly { readonly value: string }[] | null }): string {
  const last = node.leadingComments?.findLast(({ value }) => value.startsWith('*'));
  return (last?.value ?? '')
    .replace(/^\*/, '')
    .replace(/^\s*\*? ?/gm, '')
    .trim();
}

/**
 * Every name that an entry point exports, followed through its re-exports to where it is declared; a type of its own
 * name beside a value counts once, as the value.
 */
export function exportsOf(entry: string): ReadonlyMap<string, Declaration> {
  const found = new Map<string, Declaration>();
  const { own, statements } = parseFile(entry);
  for (const statement of statements) {
    if (statement.type === 'ExportNamedDeclaration') {
      if (statement.declaration)
        for (const name of namesOf(statement.declaration)) if (own.has(name)) found.set(name, own.get(name)!);
      for (const specifier of statement.specifiers) {
        if (specifier.type !== 'ExportSpecifier') continue;
        const exported = specifier.exported.type === 'Identifier' ? specifier.exported.name : specifier.exported.value;
        if (exported === 'default') continue;
        const declared = resolve(entry, statement.source?.value, specifier.local.name);
        if (declared) found.set(exported, { ...declared, name: exported });
      }
    } else if (statement.type === 'ExportAllDeclaration') {
      const target = fileOf(entry, statement.source.value);
      if (target) for (const [name, declared] of exportsOf(target)) if (!found.has(name)) found.set(name, declared);
    }
  }
  return found;
}

function resolve(from: string, source: string | undefined, name: string): Declaration | undefined {
  if (source !== undefined) {
    const target = fileOf(from, source);
    return target ? exportsOf(target).get(name) : undefined;
  }
  const { own, statements } = parseFile(from);
  if (own.has(name)) return own.get(name);
  for (const statement of statements) {
    if (statement.type !== 'ImportDeclaration') continue;
    for (const specifier of statement.specifiers) {
      if (specifier.local.name !== name || specifier.type !== 'ImportSpecifier') continue;
      const imported = specifier.imported.type === 'Identifier' ? specifier.imported.name : specifier.imported.value;
      return resolve(from, statement.source.value, imported);
    }
  }
  return undefined;
}

function fileOf(from: string, source: string): string | undefined {
  return source.startsWith('.') ? join(dirname(from), source.replace(/\.js$/, '.d.ts')) : undefined;
}

const TAG = /(?:^|\s)@(?=(?:default|example|throws|param|returns|see|deprecated|internal)\b)/m;

/** A doc comment's text before its first tag, as one line. */
export function descriptionOf(comment: string): string {
  return oneLine(comment.split(TAG)[0]!);
}

/** What follows a tag of a doc comment, as one line; empty where it has none. */
export function tagOf(comment: string, tag: string): string {
  const found = comment.split(TAG).find((part) => part.startsWith(`${tag} `));
  return found ? oneLine(found.slice(tag.length)) : '';
}

const oneLine = (text: string): string =>
  text
    .replace(/\{@link ([\w.]+)\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .trim();

/** Text inside a cell of a table; what would be read as HTML outside of code is escaped. */
export function cell(text: string): string {
  return text
    .split(/(`[^`]*`)/)
    .map((part, at) => (at % 2 === 1 ? part : part.replaceAll('<', '&lt;').replaceAll('>', '&gt;')))
    .join('')
    .replaceAll('|', '\\|');
}

/** Code inside a cell of a table. */
export function codeCell(text: string): string {
  return `\`${text.replace(/\s+/g, ' ').trim().replaceAll('|', '\\|')}\``;
}
