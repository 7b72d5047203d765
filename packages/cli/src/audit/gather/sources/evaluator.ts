import type { Binding, NodePath } from '@babel/traverse';
import type { Node } from '@babel/types';
import { exportedPath, findTypeAlias } from './exports.js';
import { chained, clientType, lends, makerOf } from './libraries.js';
import type { Modules, SourceModule } from './modules.js';
import {
  alternatives,
  type ClientValue,
  choice,
  joined,
  mapValue,
  nothing,
  type Origin,
  unknown,
  type Value,
} from './value.js';

/** Longest chain of steps for one expression: what needs more is not understood, and the audit goes on. */
const mostSteps = 20_000;
const passesThrough =
  /^(TSAsExpression|TSSatisfiesExpression|TSNonNullExpression|TSTypeAssertion|TypeCastExpression|ParenthesizedExpression|AwaitExpression|ExpressionStatement)$/;
const isFunction =
  /^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression|ObjectMethod|ClassMethod|ClassPrivateMethod)$/;
/** Functions of the platform that give back what they are given, by their argument's position. */
const givesBack =
  /^(String|URL|Promise\.resolve|Promise\.all|Object\.freeze|Object\.seal|structuredClone|promisify|util\.promisify|(\*|default)\.promisify)$/;
const forEachElement = /^(forEach|map|filter|some|every|find|flatMap)$/;
const sameText = /^(toString|trim|valueOf|href|toJSON|trimEnd|trimStart)$/;

/** The one value at the path of a node's field, where there is one. */
export function child(path: NodePath, field: string): NodePath | undefined {
  const found = path.get(field) as NodePath | NodePath[];
  return Array.isArray(found) || found.node == null ? undefined : found;
}

export function childrenOf(path: NodePath, field: string): NodePath[] {
  const found = path.get(field) as NodePath | NodePath[];
  return (Array.isArray(found) ? found : [found]).filter((one) => one.node != null);
}

/** The name of a property where it is written down; `undefined` for one that is computed. */
function keyOf(path: NodePath): string | undefined {
  const node = path.node as Node & { key?: Node; computed?: boolean };
  const key = node.key;
  if (key === undefined) return undefined;
  if (key.type === 'PrivateName') return `#${key.id.name}`;
  if (key.type === 'Identifier' && !node.computed) return key.name;
  return key.type === 'StringLiteral' || key.type === 'NumericLiteral' ? String(key.value) : undefined;
}

/** The objects among the alternatives with one more field, however deep. */
function withField(value: Value, [name, ...rest]: readonly string[], field: Value): Value {
  return mapValue(value, (one) => {
    if (one.kind !== 'object' || name === undefined) return one;
    const before = one.fields.get(name) ?? unknown;
    return {
      ...one,
      fields: new Map([...one.fields, [name, rest.length === 0 ? field : withField(before, rest, field)]]),
    };
  });
}

/**
 * Says what an expression is worth, as far as the sources say so: follows bindings, imports, properties, classes,
 * parameters and what functions return, through all files of a project. Runs nothing.
 */
export class Evaluator {
  readonly modules: Modules;
  readonly #fileOf = new Map<Node, SourceModule>();
  readonly #paths = new Map<Node, NodePath>();
  #known = new Map<Node, Value>();
  readonly #active = new Set<Node>();
  readonly #fields = new Map<Node, Map<string, NodePath[]>>();
  /** Calls of the project's own functions: what their parameters can be. */
  readonly #calls = new Map<Node, NodePath[]>();
  #cycles = 0;
  #steps = 0;

  constructor(modules: Modules) {
    this.modules = modules;
  }

  /** The parsed file, known to the evaluator. */
  open(file: string): SourceModule | undefined {
    const module = this.modules.module(file);
    if (module !== undefined) this.#fileOf.set(module.program.node, module);
    return module;
  }

  origin(path: NodePath): Origin {
    const file = this.#moduleOf(path)?.file ?? '';
    return { node: path.node, at: { file, line: path.node.loc?.start.line ?? 1 } };
  }

  /** Remembers a call of a function of the project. What was known of parameters has to be found again. */
  noteCall(call: NodePath): void {
    const callee = child(call, 'callee');
    for (const one of alternatives(this.evaluate(callee))) {
      const target =
        one.kind === 'function' || one.kind === 'class' ? this.#constructorOrFunction(one.node) : undefined;
      if (target === undefined) continue;
      const calls = this.#calls.get(target) ?? [];
      if (!calls.includes(call)) this.#calls.set(target, [...calls, call]);
    }
  }

  forget(): void {
    this.#known = new Map();
  }

  evaluate(path: NodePath | undefined | null): Value {
    if (path?.node == null) return nothing;
    const known = this.#known.get(path.node);
    if (known !== undefined) return known;
    if (this.#active.has(path.node) || this.#steps > mostSteps) {
      this.#cycles++;
      return unknown;
    }
    const cycles = this.#cycles;
    const outermost = this.#active.size === 0;
    if (outermost) this.#steps = 0;
    this.#steps++;
    this.#active.add(path.node);
    try {
      const value = this.#compute(path);
      // What was found while a circle was cut open is only part of the truth.
      if (outermost || cycles === this.#cycles) this.#known.set(path.node, value);
      return value;
    } finally {
      this.#active.delete(path.node);
    }
  }

  #moduleOf(path: NodePath): SourceModule | undefined {
    return this.#fileOf.get(path.scope.getProgramParent().block);
  }

  #compute(path: NodePath): Value {
    const { node } = path;
    if (passesThrough.test(node.type))
      return this.evaluate(child(path, node.type === 'AwaitExpression' ? 'argument' : 'expression'));
    if (isFunction.test(node.type)) return this.#keep(path, { kind: 'function', node, origin: this.origin(path) });
    switch (node.type) {
      case 'StringLiteral':
        return { kind: 'text', text: node.value, origins: [this.origin(path)] };
      case 'TemplateLiteral': {
        const values = childrenOf(path, 'expressions').map((one) => this.evaluate(one));
        const quasis = node.quasis.map(({ value }): Value => ({ kind: 'text', text: value.cooked ?? '', origins: [] }));
        return joined(
          quasis.flatMap((quasi, index) => (index < values.length ? [quasi, values[index]!] : [quasi])),
          this.origin(path),
        );
      }
      case 'NumericLiteral':
        return { kind: 'number', value: node.value };
      case 'BooleanLiteral':
        return { kind: 'boolean', value: node.value, origin: this.origin(path) };
      case 'NullLiteral':
        return { kind: 'nothing', isNull: true, origin: this.origin(path) };
      case 'Identifier':
        return this.#identifier(path, node.name);
      case 'ThisExpression':
        return this.#this(path);
      case 'Super':
        return this.#superClass(path);
      case 'ClassDeclaration':
      case 'ClassExpression':
        return this.#keep(path, { kind: 'class', node });
      case 'ObjectExpression':
        return this.#object(path);
      case 'ArrayExpression':
        return this.#array(path);
      case 'MemberExpression':
      case 'OptionalMemberExpression':
        return this.#memberExpression(path);
      case 'CallExpression':
      case 'OptionalCallExpression':
        return this.#call(path);
      case 'NewExpression':
        return this.#new(path);
      case 'ConditionalExpression':
        return choice([this.evaluate(child(path, 'consequent')), this.evaluate(child(path, 'alternate'))]);
      case 'LogicalExpression': {
        const left = this.evaluate(child(path, 'left'));
        const right = this.evaluate(child(path, 'right'));
        return node.operator === '&&' ? choice([nothing, right]) : choice([left, right]);
      }
      case 'BinaryExpression':
        return node.operator === '+'
          ? joined([this.evaluate(child(path, 'left')), this.evaluate(child(path, 'right'))], this.origin(path))
          : unknown;
      case 'UnaryExpression':
        return node.operator === '!'
          ? mapValue(this.evaluate(child(path, 'argument')), (one) =>
              one.kind === 'boolean' ? { ...one, value: !one.value } : unknown,
            )
          : node.operator === 'void'
            ? nothing
            : unknown;
      case 'AssignmentExpression':
        return this.evaluate(child(path, 'right'));
      case 'SequenceExpression':
        return this.evaluate(childrenOf(path, 'expressions').at(-1));
      case 'MetaProperty':
        return { kind: 'export', from: 'global', name: 'import.meta' };
      default:
        return unknown;
    }
  }

  #keep<T extends Value>(path: NodePath, value: T): T {
    this.#paths.set(path.node, path);
    return value;
  }

  // Names

  #identifier(path: NodePath, name: string): Value {
    const binding = path.scope.getBinding(name);
    if (binding === undefined) {
      if (name === 'undefined') return nothing;
      return { kind: 'export', from: 'global', name };
    }
    return this.#binding(binding, path);
  }

  #binding(binding: Binding, from: NodePath): Value {
    const declared = binding.path;
    const { node } = declared;
    if (/^Import(Default|Namespace)?Specifier$/.test(node.type)) return this.#importSpecifier(declared);
    if (node.type === 'TSImportEqualsDeclaration') {
      const reference = node.moduleReference;
      if (reference.type !== 'TSExternalModuleReference') return unknown;
      return this.#imported(declared, reference.expression.value, '*');
    }
    const values: Value[] = [];
    if (node.type === 'VariableDeclarator') values.push(this.#declarator(declared, binding));
    else if (node.type === 'FunctionDeclaration' || /^Class/.test(node.type)) values.push(this.evaluate(declared));
    else if (binding.kind === 'param') values.push(this.#parameter(declared, binding));
    else if (isFunction.test(node.type)) values.push(this.evaluate(declared));
    for (const change of binding.constantViolations) {
      if (change.node.type === 'AssignmentExpression') {
        if (change.node.left.type === 'Identifier' && change.node.operator !== '+=')
          values.push(this.evaluate(child(change, 'right')));
        else values.push(unknown);
      } else if (change.node.type === 'VariableDeclarator') values.push(this.#declarator(change, binding));
    }
    const known = values.filter((one) => one !== nothing);
    const value = choice(known.length === 0 ? values : known);
    const typed = value.kind === 'unknown' || value === nothing ? this.#typed(binding.identifier, from) : undefined;
    return typed ?? this.#withAssignments(value, binding);
  }

  /** `options.tls = {…}` and `options.tls.ca = …` after the object was made. */
  #withAssignments(value: Value, binding: Binding): Value {
    if (!alternatives(value).some((one) => one.kind === 'object')) return value;
    let result = value;
    for (const reference of binding.referencePaths) {
      const names: string[] = [];
      let path: NodePath = reference;
      while (path.key === 'object' && path.parentPath !== null && /MemberExpression$/.test(path.parentPath.node.type)) {
        path = path.parentPath;
        const name = this.#propertyName(path);
        if (name === undefined) break;
        names.push(name);
      }
      const assignment = path.parentPath;
      if (names.length === 0 || path.key !== 'left' || assignment?.node.type !== 'AssignmentExpression') continue;
      result = withField(result, names, this.evaluate(child(assignment, 'right')));
    }
    return result;
  }

  #declarator(path: NodePath, binding: Binding): Value {
    const pattern = child(path, 'id');
    const statement = path.parentPath?.parentPath;
    if (statement?.node.type === 'ForOfStatement' && path.parentPath?.key === 'left') {
      const elements = mapValue(this.evaluate(child(statement, 'right')), (one) =>
        one.kind === 'array' ? choice(one.elements) : unknown,
      );
      return pattern === undefined ? unknown : this.#inPattern(pattern, elements, binding);
    }
    const initial = child(path, 'init');
    if (pattern === undefined) return unknown;
    if (initial === undefined) return nothing;
    if (pattern.node.type === 'Identifier') return this.evaluate(initial);
    return this.#inPattern(pattern, this.evaluate(initial), binding);
  }

  /** What a name in a destructuring pattern gets of the value. */
  #inPattern(pattern: NodePath, value: Value, binding: Binding): Value {
    const { node } = pattern;
    if (node === binding.identifier || (node.type === 'Identifier' && node.name === binding.identifier.name))
      return value;
    if (node.type === 'AssignmentPattern') {
      const left = child(pattern, 'left');
      const given = choice([
        ...alternatives(value).filter((one) => one !== nothing),
        this.evaluate(child(pattern, 'right')),
      ]);
      return left === undefined ? unknown : this.#inPattern(left, given, binding);
    }
    const holds = (path: NodePath) =>
      binding.identifier.start! >= path.node.start! && binding.identifier.end! <= path.node.end!;
    if (node.type === 'ObjectPattern') {
      for (const property of childrenOf(pattern, 'properties')) {
        if (!holds(property)) continue;
        const inner = child(property, property.node.type === 'RestElement' ? 'argument' : 'value');
        const key = keyOf(property);
        if (inner === undefined) return unknown;
        if (property.node.type === 'RestElement') return this.#inPattern(inner, value, binding);
        return key === undefined ? unknown : this.#inPattern(inner, this.member(value, key), binding);
      }
    }
    if (node.type === 'ArrayPattern') {
      for (const element of childrenOf(pattern, 'elements'))
        if (holds(element)) return this.#inPattern(element, this.member(value, String(element.key)), binding);
    }
    if (node.type === 'TSParameterProperty') {
      const parameter = child(pattern, 'parameter');
      return parameter === undefined ? unknown : this.#inPattern(parameter, value, binding);
    }
    return unknown;
  }

  #parameter(path: NodePath, binding: Binding): Value {
    let parameter: NodePath | null = path;
    while (parameter !== null && parameter.listKey !== 'params') parameter = parameter.parentPath;
    return parameter === null ? unknown : this.#inPattern(parameter, this.#given(parameter), binding);
  }

  /** What the calls of a function give for one of its parameters. */
  #given(parameter: NodePath): Value {
    const owner = parameter.parentPath;
    const index = Number(parameter.key);
    if (owner === null || parameter.node.type === 'RestElement') return unknown;
    const given = (this.#calls.get(owner.node) ?? []).map((call) =>
      this.evaluate(childrenOf(call, 'arguments')[index]),
    );
    return choice([...given, ...this.#lent(owner, index)]);
  }

  /** What a function gets when it is given to a method: the elements of a list, or a client that is lent. */
  #lent(owner: NodePath, index: number): Value[] {
    const call = owner.parentPath;
    if (index !== 0 || call?.node.type !== 'CallExpression' || owner.listKey !== 'arguments') return [];
    const callee = child(call, 'callee');
    if (callee === undefined || !/MemberExpression$/.test(callee.node.type)) return [];
    const name = this.#propertyName(callee) ?? '';
    return alternatives(this.evaluate(child(callee, 'object'))).flatMap((one): Value[] => {
      if (one.kind === 'array' && forEachElement.test(name)) return [choice(one.elements)];
      if (one.kind === 'client' && (lends.test(name) || name === 'then')) return [one];
      return [];
    });
  }

  // Modules

  #importSpecifier(path: NodePath): Value {
    const declaration = path.parent;
    if (declaration.type !== 'ImportDeclaration') return unknown;
    const { node } = path;
    const name =
      node.type === 'ImportDefaultSpecifier'
        ? 'default'
        : node.type === 'ImportSpecifier'
          ? node.imported.type === 'Identifier'
            ? node.imported.name
            : node.imported.value
          : '*';
    return this.#imported(path, declaration.source.value, name);
  }

  #imported(path: NodePath, specifier: string, name: string): Value {
    const module = this.#moduleOf(path);
    const file = module && this.modules.resolve(module.file, specifier);
    if (file === undefined) return { kind: 'export', from: specifier.replace(/^node:/, ''), name };
    return name === '*' ? { kind: 'namespace', file } : this.exported(file, name);
  }

  /** What a file of the project exports under a name. */
  exported(file: string, name: string, seen: ReadonlySet<string> = new Set()): Value {
    const key = `${file}:${name}`;
    const module = this.open(file);
    if (module === undefined || seen.has(key)) return unknown;
    const found = exportedPath(module.program, name);
    const again = new Set([...seen, key]);
    for (const one of found) {
      if (one.path !== undefined) {
        const value = this.evaluate(one.path);
        if (one.member === undefined) return value;
        const member = this.member(value, one.member);
        if (member !== nothing && member.kind !== 'unknown') return member;
        continue;
      }
      const target = this.modules.resolve(file, one.from);
      if (target === undefined) {
        if (one.star) continue;
        return { kind: 'export', from: one.from.replace(/^node:/, ''), name: one.name };
      }
      if (one.name === '*') return { kind: 'namespace', file: target };
      const value = this.exported(target, one.name, again);
      if (!one.star || (value.kind !== 'unknown' && value !== nothing)) return value;
    }
    return unknown;
  }

  // Objects, arrays, members

  #object(path: NodePath): Value {
    let objects: { fields: Map<string, Value>; open: boolean }[] = [{ fields: new Map(), open: false }];
    const all = (change: (one: { fields: Map<string, Value>; open: boolean }) => void) => objects.forEach(change);
    for (const property of childrenOf(path, 'properties')) {
      if (property.node.type === 'SpreadElement') {
        const spread = alternatives(this.evaluate(child(property, 'argument')));
        objects = spread.flatMap((value) =>
          objects.map((one) => {
            if (value.kind === 'object')
              return { fields: new Map([...one.fields, ...value.fields]), open: one.open || value.open };
            if (value.kind === 'nothing' || value.kind === 'boolean') return { ...one, fields: new Map(one.fields) };
            return { fields: new Map(one.fields), open: true };
          }),
        );
        objects = objects.slice(0, 8);
        continue;
      }
      const key = keyOf(property) ?? this.#computedKey(property);
      if (key === undefined) {
        all((one) => {
          one.open = true;
        });
        continue;
      }
      const value =
        property.node.type === 'ObjectMethod'
          ? property.node.kind === 'get'
            ? this.#returned(property)
            : this.evaluate(property)
          : this.evaluate(child(property, 'value'));
      all((one) => {
        one.fields.set(key, value);
      });
    }
    const origin = this.origin(path);
    return choice(objects.map((one) => ({ kind: 'object', ...one, origin })));
  }

  #computedKey(property: NodePath): string | undefined {
    const value = this.evaluate(child(property, 'key'));
    return value.kind === 'text' ? value.text : undefined;
  }

  #array(path: NodePath): Value {
    let open = false;
    const elements = childrenOf(path, 'elements').flatMap((element): readonly Value[] => {
      if (element.node.type !== 'SpreadElement') return [this.evaluate(element)];
      const spread = this.evaluate(child(element, 'argument'));
      if (spread.kind === 'array') return spread.elements;
      open = true;
      return [];
    });
    return { kind: 'array', elements, open };
  }

  #propertyName(member: NodePath): string | undefined {
    const node = member.node as Node & { property: Node; computed?: boolean };
    if (node.property.type === 'PrivateName') return `#${node.property.id.name}`;
    if (!node.computed && node.property.type === 'Identifier') return node.property.name;
    const value = this.evaluate(child(member, 'property'));
    return value.kind === 'text' ? value.text : value.kind === 'number' ? String(value.value) : undefined;
  }

  #memberExpression(path: NodePath): Value {
    const name = this.#propertyName(path);
    const object = this.evaluate(child(path, 'object'));
    if (name !== undefined) return this.member(object, name);
    // An element of a list or of a table, whichever.
    return mapValue(object, (one) => {
      if (one.kind === 'array') return choice([...one.elements, ...(one.open ? [unknown] : [])]);
      if (one.kind === 'object') return choice([...one.fields.values(), ...(one.open ? [unknown] : [])]);
      return unknown;
    });
  }

  member(value: Value, name: string): Value {
    return mapValue(value, (one): Value => {
      switch (one.kind) {
        case 'object':
          return one.fields.get(name) ?? (one.open ? unknown : nothing);
        case 'array':
          return /^\d+$/.test(name) ? (one.elements[Number(name)] ?? (one.open ? unknown : nothing)) : unknown;
        case 'variables':
          return { kind: 'environment', name };
        case 'export':
          if (one.from === 'global' && /^(process|import\.meta|globalThis\.process)$/.test(one.name) && name === 'env')
            return { kind: 'variables' };
          if (one.from === 'process' && (name === 'env' || one.name === 'env'))
            return one.name === 'env' ? { kind: 'environment', name } : { kind: 'variables' };
          return { ...one, name: `${one.name}.${name}` };
        case 'namespace':
          return this.exported(one.file, name);
        case 'instance':
          return this.#field(one.node, name, false);
        case 'class':
          return this.#field(one.node, name, true);
        case 'client':
          return { kind: 'method', client: one, name };
        case 'method':
          return /^(bind|call|apply)$/.test(name) ? one : unknown;
        case 'function':
          return /^(bind|call|apply)$/.test(name) ? one : unknown;
        case 'text':
        case 'pieces':
        case 'environment':
          return sameText.test(name) ? one : unknown;
        default:
          return unknown;
      }
    });
  }

  // Classes

  #this(path: NodePath): Value {
    const owner = path.findParent(
      (one) =>
        (isFunction.test(one.node.type) && one.node.type !== 'ArrowFunctionExpression') ||
        /^Class(Private|Accessor)?Property$|^StaticBlock$/.test(one.node.type),
    );
    if (owner === null) return unknown;
    const body = owner.parentPath;
    if (owner.node.type === 'ObjectMethod') return this.evaluate(body);
    if (body?.node.type === 'ClassBody' && body.parentPath !== null) {
      const { node } = body.parentPath;
      this.#keep(body.parentPath, { kind: 'class', node });
      const isStatic = owner.node.type === 'StaticBlock' || (owner.node as { static?: boolean }).static === true;
      return isStatic ? { kind: 'class', node } : { kind: 'instance', node };
    }
    if (owner.node.type === 'FunctionExpression' && body?.node.type === 'ObjectProperty')
      return this.evaluate(body.parentPath);
    // Before there were classes: `function Store() { this.client = … }`, `Store.prototype.get = function () { … }`.
    if (owner.node.type === 'FunctionExpression' && body?.node.type === 'AssignmentExpression') {
      const made = this.#prototypeOf(child(body, 'left'));
      if (made !== undefined) return made;
    }
    if (owner.node.type === 'FunctionDeclaration' || owner.node.type === 'FunctionExpression') {
      this.#keep(owner, { kind: 'class', node: owner.node });
      return { kind: 'instance', node: owner.node };
    }
    return unknown;
  }

  /** What `Store.prototype.get` is a method of. */
  #prototypeOf(target: NodePath | undefined): Value | undefined {
    const prototype = target?.node.type === 'MemberExpression' ? child(target, 'object') : undefined;
    if (prototype?.node.type !== 'MemberExpression' || this.#propertyName(prototype) !== 'prototype') return undefined;
    const made = this.evaluate(child(prototype, 'object'));
    return made.kind === 'function' ? { kind: 'instance', node: made.node } : undefined;
  }

  #superClass(path: NodePath): Value {
    const owner = path.findParent((one) => /^Class(Declaration|Expression)$/.test(one.node.type));
    return owner === null ? unknown : this.evaluate(child(owner, 'superClass'));
  }

  /** Everything that a class assigns to its fields, by name; `static ` before those of the class itself. */
  #fieldsOf(node: Node): Map<string, NodePath[]> {
    const known = this.#fields.get(node);
    if (known !== undefined) return known;
    const fields = new Map<string, NodePath[]>();
    this.#fields.set(node, fields);
    const add = (name: string, path: NodePath) => fields.set(name, [...(fields.get(name) ?? []), path]);
    const path = this.#paths.get(node);
    if (path === undefined) return fields;
    for (const member of isFunction.test(node.type) ? [] : childrenOf(path, 'body.body')) {
      const key = keyOf(member);
      const isStatic = (member.node as { static?: boolean }).static === true;
      if (key !== undefined) add((isStatic ? 'static ' : '') + key, member);
      if (member.node.type === 'ClassMethod' && member.node.kind === 'constructor')
        for (const parameter of childrenOf(member, 'params'))
          if (parameter.node.type === 'TSParameterProperty') {
            const inner = parameter.node.parameter;
            const named = inner.type === 'AssignmentPattern' ? inner.left : inner;
            if (named.type === 'Identifier') add(named.name, parameter);
          }
    }
    // Methods of a function's prototype are written beside it.
    const written = isFunction.test(node.type) ? path.scope.getProgramParent().path : path;
    written.traverse({
      AssignmentExpression: (assignment) => {
        const left = child(assignment, 'left');
        if (left?.node.type !== 'MemberExpression' || left.node.object.type !== 'ThisExpression') return;
        const owner = this.#this(left.get('object') as NodePath);
        if ((owner.kind !== 'instance' && owner.kind !== 'class') || owner.node !== node) return;
        const name = this.#propertyName(left);
        if (name !== undefined) add((owner.kind === 'class' ? 'static ' : '') + name, assignment);
      },
    });
    return fields;
  }

  #field(node: Node, name: string, isStatic: boolean): Value {
    const path = this.#paths.get(node);
    if (path === undefined) return unknown;
    const values = (this.#fieldsOf(node).get((isStatic ? 'static ' : '') + name) ?? []).map((one) =>
      this.#fieldValue(one),
    );
    const known = values.filter((one) => one !== nothing);
    if (known.length > 0) return choice(known);
    const inherited = isFunction.test(node.type) ? nothing : this.evaluate(child(path, 'superClass'));
    if (inherited === nothing) return unknown;
    const client = this.#clientOf(inherited, path);
    if (client !== undefined && !isStatic) return { kind: 'method', client, name };
    return mapValue(inherited, (one) => (one.kind === 'class' ? this.#field(one.node, name, isStatic) : unknown));
  }

  #fieldValue(path: NodePath): Value {
    const { node } = path;
    if (node.type === 'AssignmentExpression') return this.evaluate(child(path, 'right'));
    if (node.type === 'TSParameterProperty') {
      const value = this.#given(path);
      const inner = node.parameter;
      const declared = inner.type === 'AssignmentPattern' ? inner.left : inner;
      return value.kind === 'unknown' ? (this.#typed(declared, path) ?? unknown) : value;
    }
    if (/Method$/.test(node.type))
      return (node as { kind?: string }).kind === 'get' ? this.#returned(path) : this.evaluate(path);
    const value = child(path, 'value');
    return value === undefined ? (this.#typed(node, path) ?? nothing) : this.evaluate(value);
  }

  // Calls

  #constructorOrFunction(node: Node): Node | undefined {
    if (isFunction.test(node.type)) return node;
    const path = this.#paths.get(node);
    if (path === undefined) return undefined;
    const own = childrenOf(path, 'body.body').find(
      (one) => one.node.type === 'ClassMethod' && one.node.kind === 'constructor',
    );
    if (own !== undefined) return own.node;
    const inherited = this.evaluate(child(path, 'superClass'));
    return inherited.kind === 'class' ? this.#constructorOrFunction(inherited.node) : undefined;
  }

  /** Calls of `super(…)` in a class and its parents: the last reaches the library. */
  superCalls(node: Node): NodePath[] {
    const path = this.#paths.get(node);
    if (path === undefined) return [];
    const parent = this.evaluate(child(path, 'superClass'));
    const above = parent.kind === 'class' ? this.superCalls(parent.node) : [];
    if (above.length > 0) return above;
    const found: NodePath[] = [];
    path.traverse({
      CallExpression: (call) => {
        if (call.node.callee.type === 'Super') found.push(call);
      },
    });
    return found;
  }

  /** The client that a call or a `new` of this value makes. */
  #clientOf(callee: Value, made: NodePath): ClientValue | undefined {
    for (const one of alternatives(callee)) {
      const library = one.kind === 'export' ? makerOf(one.from, one.name) : undefined;
      if (library !== undefined) return { kind: 'client', dialect: library.dialect, made: made.node };
      const path = one.kind === 'class' ? this.#paths.get(one.node) : undefined;
      const parent = path && child(path, 'superClass');
      if (parent !== undefined) {
        const inherited = this.#clientOf(this.evaluate(parent), made);
        if (inherited !== undefined) return inherited;
      }
    }
    return undefined;
  }

  #call(path: NodePath): Value {
    const calleePath = child(path, 'callee');
    if (calleePath === undefined) return unknown;
    const args = childrenOf(path, 'arguments');
    if (calleePath.node.type === 'Import') return this.#required(path, args[0]);
    const callee = this.evaluate(calleePath);
    return mapValue(callee, (one): Value => {
      if (one.kind === 'method') return this.#methodResult(one, calleePath);
      if (one.kind === 'function') {
        const name = /MemberExpression$/.test(calleePath.node.type) ? this.#propertyName(calleePath) : undefined;
        if (name === 'bind') return one;
        const target = this.#paths.get(one.node);
        return target === undefined ? unknown : this.#returned(target);
      }
      if (one.kind === 'export') return this.#foreignCall(one.from, one.name, path, args);
      if (/^(text|pieces|environment)$/.test(one.kind)) return one;
      return unknown;
    });
  }

  #methodResult({ client, name }: { client: ClientValue; name: string }, callee: NodePath): Value {
    const written = /MemberExpression$/.test(callee.node.type) ? this.#propertyName(callee) : undefined;
    if (written === 'bind') return { kind: 'method', client, name };
    return chained.test(name) ? client : unknown;
  }

  #foreignCall(from: string, name: string, path: NodePath, args: readonly NodePath[]): Value {
    const client = this.#clientOf({ kind: 'export', from, name }, path);
    if (client !== undefined) return client;
    if (from === 'global' && name === 'require') return this.#required(path, args[0]);
    if ((from === 'global' || from === 'util') && givesBack.test(name)) return this.evaluate(args[0]);
    if (from === 'global' && name === 'Object.assign') return this.#assigned(path, args);
    // `const RedisStore = connectRedis(session)` of old connect-redis.
    return { kind: 'export', from, name: `${name}()` };
  }

  #assigned(path: NodePath, args: readonly NodePath[]): Value {
    const fields = new Map<string, Value>();
    let open = false;
    for (const value of args.map((one) => this.evaluate(one))) {
      if (value.kind === 'object') {
        for (const [name, field] of value.fields) fields.set(name, field);
        open ||= value.open;
      } else if (value.kind !== 'nothing') open = true;
    }
    return { kind: 'object', fields, open, origin: this.origin(path) };
  }

  #required(path: NodePath, specifier: NodePath | undefined): Value {
    const value = this.evaluate(specifier);
    if (value.kind !== 'text') return unknown;
    const imported = this.#imported(path, value.text, '*');
    if (imported.kind !== 'namespace') return imported;
    // `module.exports = …` is the whole module.
    const whole = this.exported(imported.file, 'module.exports');
    return whole.kind === 'unknown' ? imported : whole;
  }

  #new(path: NodePath): Value {
    const callee = this.evaluate(child(path, 'callee'));
    return mapValue(callee, (one): Value => {
      const client = this.#clientOf(one, path);
      if (client !== undefined) return client;
      if (one.kind === 'class' || one.kind === 'function') return { kind: 'instance', node: one.node };
      if (one.kind === 'export' && one.from === 'global' && one.name === 'URL')
        return this.evaluate(childrenOf(path, 'arguments')[0]);
      return unknown;
    });
  }

  /** What calling a value gives: of a function of the project, what it returns. */
  called(value: Value): Value {
    return mapValue(value, (one) => {
      const target = one.kind === 'function' ? this.#paths.get(one.node) : undefined;
      return target === undefined ? unknown : this.#returned(target);
    });
  }

  /** What a function returns, whichever way it ends. */
  #returned(path: NodePath): Value {
    const body = child(path, 'body');
    if (body === undefined) return unknown;
    if (body.node.type !== 'BlockStatement') return this.evaluate(body);
    const values: Value[] = [];
    body.traverse({
      Function: (inner) => inner.skip(),
      ReturnStatement: (statement) => {
        values.push(this.evaluate(child(statement, 'argument')));
      },
    });
    return values.length === 0 ? nothing : choice(values);
  }

  // Types

  /** The client that a declared type stands for, where nothing else is known. */
  #typed(node: Node, from: NodePath): Value | undefined {
    const annotation = (node as { typeAnnotation?: Node | null }).typeAnnotation;
    return annotation == null ? undefined : this.#typeValue(annotation, from, 0);
  }

  #typeValue(type: Node, from: NodePath, depth: number): Value | undefined {
    if (depth > 8) return undefined;
    if (type.type === 'TSTypeAnnotation') return this.#typeValue(type.typeAnnotation, from, depth + 1);
    if (type.type === 'TSUnionType' || type.type === 'TSIntersectionType') {
      for (const one of type.types) {
        const found = this.#typeValue(one, from, depth + 1);
        if (found !== undefined) return found;
      }
      return undefined;
    }
    if (type.type === 'TSTypeQuery') {
      const found = type.exprName.type === 'TSImportType' ? undefined : this.#entity(type.exprName, from);
      const library = found?.kind === 'export' ? makerOf(found.from, found.name) : undefined;
      return library && { kind: 'client', dialect: library.dialect };
    }
    if (type.type !== 'TSTypeReference') return undefined;
    const [argument] = type.typeParameters?.params ?? [];
    const name = type.typeName.type === 'Identifier' ? type.typeName.name : undefined;
    if (
      argument !== undefined &&
      name !== undefined &&
      /^(Promise|Awaited|ReturnType|InstanceType|Readonly|NonNullable)$/.test(name)
    )
      return this.#typeValue(argument, from, depth + 1);
    const found = this.#entity(type.typeName, from);
    if (found?.kind === 'export') {
      const library = clientType(found.from, found.name);
      if (library !== undefined) return { kind: 'client', dialect: library.dialect };
    }
    if (found?.kind === 'class') return { kind: 'instance', node: found.node };
    const program = this.#moduleOf(from)?.program;
    const alias = name === undefined || program === undefined ? undefined : findTypeAlias(program, name);
    return alias && this.#typeValue(alias, from, depth + 1);
  }

  #entity(entity: Node, from: NodePath): Value | undefined {
    if (entity.type === 'Identifier') {
      const binding = from.scope.getBinding(entity.name);
      return binding && this.#binding(binding, binding.path);
    }
    if (entity.type !== 'TSQualifiedName') return undefined;
    const left = this.#entity(entity.left, from);
    return left && this.member(left, entity.right.name);
  }
}
