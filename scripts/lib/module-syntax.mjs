// What a TypeScript source says of its modules and declarations, by Babel's parser: examples in comments and templates
// do not count.
import { parse } from '@babel/parser';

/** The program, with the comments of the whole file as `comments`. */
export function parseSource(text) {
  const { program, comments } = parse(text, {
    sourceType: 'module',
    plugins: ['typescript', 'explicitResourceManagement'],
  });
  return Object.assign(program, { comments });
}

/** Calls `visit` with every node below `node`, itself included, and the nodes around it, outermost first. */
export function walk(node, visit, parents = []) {
  if (Array.isArray(node)) {
    for (const item of node) walk(item, visit, parents);
    return;
  }
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') visit(node, parents);
  const around = typeof node.type === 'string' ? [...parents, node] : parents;
  for (const key of Object.keys(node)) {
    if (key !== 'loc' && key !== 'comments' && key !== 'tokens' && !key.endsWith('Comments'))
      walk(node[key], visit, around);
  }
}

/**
 * Every module that `program` imports or re-exports from, statically or by `import('…')`, as `{ specifier, isType }`.
 * `isType` means that nothing is left of it in what is published.
 */
export function importsOf(program) {
  const found = [];
  walk(program, (node) => {
    if (/^(Import|Export(Named|All))Declaration$/.test(node.type) && node.source)
      found.push({ specifier: node.source.value, isType: node.importKind === 'type' || node.exportKind === 'type' });
    if (node.type === 'CallExpression' && node.callee.type === 'Import' && node.arguments[0]?.type === 'StringLiteral')
      found.push({ specifier: node.arguments[0].value, isType: false });
    if (node.type === 'TSImportType' && node.argument?.type === 'StringLiteral')
      found.push({ specifier: node.argument.value, isType: true });
  });
  return found;
}
