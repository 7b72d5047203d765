import type { NodePath } from '@babel/traverse';
import type { Node, Program } from '@babel/types';

/** Where an exported name leads: to an expression of this file, or to another module. */
export type Exported =
  | { readonly path: NodePath; readonly member?: string }
  | { readonly path?: undefined; readonly from: string; readonly name: string; readonly star: boolean };

function nameOf(node: Node): string {
  return node.type === 'StringLiteral' ? node.value : node.type === 'Identifier' ? node.name : '';
}

function list(found: NodePath | NodePath[]): NodePath[] {
  return (Array.isArray(found) ? found : [found]).filter((one) => one.node != null);
}

/** Finds a name among a file's exports, of ES modules and of CommonJS; the likeliest first. */
export function exportedPath(program: NodePath<Program>, name: string): Exported[] {
  const found: Exported[] = [];
  const stars: Exported[] = [];
  for (const statement of list(program.get('body') as NodePath[])) {
    const { node } = statement;
    if (node.type === 'ExportDefaultDeclaration' && name === 'default')
      found.push({ path: statement.get('declaration') as NodePath });
    if (node.type === 'TSExportAssignment' && /^(default|module\.exports)$/.test(name))
      found.push({ path: statement.get('expression') as NodePath });
    if (node.type === 'ExportAllDeclaration') stars.push({ from: node.source.value, name, star: true });
    if (node.type === 'ExportNamedDeclaration') found.push(...namedExport(statement, name));
    if (node.type === 'ExpressionStatement') found.push(...commonJs(statement, name));
  }
  return [...found, ...stars];
}

function namedExport(statement: NodePath, name: string): Exported[] {
  const { node } = statement;
  if (node.type !== 'ExportNamedDeclaration') return [];
  const declaration = list(statement.get('declaration') as NodePath);
  const declared = declaration.flatMap((one): Exported[] => {
    if (one.node.type !== 'VariableDeclaration')
      return (one.node as { id?: Node }).id && nameOf((one.node as { id: Node }).id) === name ? [{ path: one }] : [];
    return list(one.get('declarations') as NodePath[]).flatMap((declarator): Exported[] => {
      const binding = declarator.scope.getBinding(name);
      return binding?.path.node === declarator.node ? [{ path: identifierPath(declarator, name) }] : [];
    });
  });
  const specified = list(statement.get('specifiers') as NodePath[]).flatMap((one): Exported[] => {
    const specifier = one.node;
    if (specifier.type === 'ExportNamespaceSpecifier')
      return specifier.exported.name === name ? [{ from: node.source!.value, name: '*', star: false }] : [];
    if (specifier.type !== 'ExportSpecifier' || nameOf(specifier.exported) !== name) return [];
    if (node.source) return [{ from: node.source.value, name: nameOf(specifier.local), star: false }];
    return [{ path: one.get('local') as NodePath }];
  });
  return [...declared, ...specified];
}

/** The declared name itself: to evaluate it is to follow its binding, with everything that is assigned to it. */
function identifierPath(declarator: NodePath, name: string): NodePath {
  const id = declarator.get('id') as NodePath;
  if (id.node.type === 'Identifier') return id;
  let found: NodePath = id;
  id.traverse({
    Identifier(path) {
      if (path.node.name === name && path.key !== 'key') found = path;
    },
  });
  return found;
}

function commonJs(statement: NodePath, name: string): Exported[] {
  const assignment = statement.get('expression') as NodePath;
  if (assignment.node.type !== 'AssignmentExpression') return [];
  const target = assignment.node.left;
  if (target.type !== 'MemberExpression') return [];
  const property = nameOf(target.property);
  const { object } = target;
  const right = assignment.get('right') as NodePath;
  if (object.type === 'Identifier' && object.name === 'module' && property === 'exports') {
    if (name === 'module.exports' || name === 'default') return [{ path: right }];
    return [{ path: right, member: name }];
  }
  const isExports =
    (object.type === 'Identifier' && object.name === 'exports') ||
    (object.type === 'MemberExpression' && nameOf(object.object) === 'module' && nameOf(object.property) === 'exports');
  return isExports && property === name ? [{ path: right }] : [];
}

/** The type that a name of this file stands for. */
export function findTypeAlias(program: NodePath<Program>, name: string): Node | undefined {
  for (const statement of program.node.body) {
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (declaration?.type === 'TSTypeAliasDeclaration' && declaration.id.name === name)
      return declaration.typeAnnotation;
  }
  return undefined;
}
