import type { NodePath } from '@babel/traverse';
import type { Node } from '@babel/types';
import type { Location, SourceFacts, SourceFinding, SourceIssue } from '../../facts/project-facts.js';
import { judgeAddress, readAddress } from './address-rules.js';
import { isBuilt, judgeCommand } from './command-rules.js';
import { judgeConnection } from './connection-rules.js';
import { child, childrenOf, Evaluator } from './evaluator.js';
import { type Consumer, consumerOf, makerOf } from './libraries.js';
import type { Modules } from './modules.js';
import { alternatives, type ClientValue, type Value } from './value.js';

const testFile = /(^|[./_-])(test|tests|spec|__tests__|fixtures)([./_-]|$)/;
const isCall = /^(Optional)?CallExpression$|^NewExpression$/;
/** Methods that compare or search text: nothing connects to what they are given. */
const looksAt =
  /^(startsWith|endsWith|includes|indexOf|match|test|replace|replaceAll|split|equal|deepEqual|strictEqual)$/;
/** Text that is, or begins, the address of a server. */
const address = /^(redis|valkey)s?:\/\//;
const logs = /^(log|info|warn|error|debug|trace|fatal|verbose)$/;
const secretVariable = /(REDIS|VALKEY|DRAGONFLY)\w*_(URL|URI|PASSWORD|PASS|AUTH|SECRET)$/i;

/** Applies every rule to the files of a project. */
export function scanSources(modules: Modules): Omit<SourceFacts, 'files'> {
  const scan = new Scan(modules);
  scan.run();
  return {
    unparsed: modules.unparsed,
    clients: scan.clients,
    findings: scan.sorted(),
    commands: [...scan.commands].sort(),
  };
}

class Scan {
  readonly clients: { library: string; at: Location }[] = [];
  readonly commands = new Set<string>();
  readonly #findings = new Map<string, SourceFinding>();
  readonly #evaluator: Evaluator;
  readonly #modules: Modules;
  /** Addresses that were judged where they are used. */
  readonly #used = new Set<Node>();
  /** Clients that were given to something that waits without limit and has to. */
  readonly #blocking = new Set<Node>();
  /** Environment variables that hold an address or a password of a client. */
  readonly #secrets = new Set<string>();

  constructor(modules: Modules) {
    this.#modules = modules;
    this.#evaluator = new Evaluator(modules);
  }

  run(): void {
    const files = [...this.#modules.files];
    const programs = files.flatMap((file) => this.#evaluator.open(file) ?? []);
    const found = programs.map(({ program }) => collect(program));
    const calls = found.map((one) => one.calls);
    // Parameters are known once the calls are; a call through a parameter, one round later.
    for (let round = 0; round < 2; round++) {
      for (const path of calls.flat()) this.#evaluator.noteCall(path);
      this.#evaluator.forget();
    }
    for (const path of calls.flat()) this.#given(path);
    for (const [index, { file }] of programs.entries()) {
      const isTest = testFile.test(file);
      for (const path of calls[index]!) this.#call(path, isTest);
      this.#environment(found[index]!.assignments);
    }
    for (const [index, { file }] of programs.entries()) if (!testFile.test(file)) this.#literals(found[index]!.texts);
    for (const path of calls.flat()) this.#log(path);
  }

  sorted(): SourceFinding[] {
    return [...this.#findings.values()].sort(
      (a, b) => a.at.file.localeCompare(b.at.file) || a.at.line - b.at.line || a.issue.localeCompare(b.issue),
    );
  }

  #report(issue: SourceIssue, at: Location, detail: string): void {
    const key = `${issue} ${at.file}:${at.line} ${detail}`;
    if (!this.#findings.has(key)) this.#findings.set(key, { issue, at, detail });
  }

  #values(path: NodePath): Value[] {
    return childrenOf(path, 'arguments').map((one) =>
      one.node.type === 'SpreadElement' ? ({ kind: 'unknown' } as const) : this.#evaluator.evaluate(one),
    );
  }

  /** Notes clients that are handed to queues. */
  #given(path: NodePath): void {
    for (const { consumer, values } of this.#consumers(path)) {
      if (!consumer.blocks) continue;
      for (const value of values.flatMap(alternatives))
        if (value.kind === 'client' && value.made) this.#blocking.add(value.made);
    }
  }

  /** What a call hands to a package that connects by itself. */
  #consumers(path: NodePath) {
    const callee = child(path, 'callee');
    return alternatives(this.#evaluator.evaluate(callee)).flatMap((one) => {
      const consumer = one.kind === 'export' ? consumerOf(one.from, one.name) : undefined;
      if (consumer === undefined) return [];
      const args = this.#values(path);
      const given = args
        .flatMap(alternatives)
        .flatMap((arg) =>
          consumer.only !== undefined && arg.kind === 'array' ? arg.elements.flatMap(alternatives) : [arg],
        )
        .flatMap((arg) => [arg, ...this.#madeByFactory(arg)])
        .filter((arg) => isMeant(consumer, arg));
      const values = given.flatMap((arg): Value[] => {
        const fields = alternatives(arg).flatMap((value) =>
          value.kind === 'object'
            ? consumer.options.flatMap((name) => (name === '' ? [value] : (value.fields.get(name) ?? [])))
            : [],
        );
        if (fields.length > 0) return fields.slice(0, consumer.options.includes('') ? 1 : fields.length);
        return alternatives(arg).filter((value) => readAddress(value) !== undefined || value.kind === 'client');
      });
      return [{ consumer, values }];
    });
  }

  /** Options that a module makes when it starts: `useFactory: () => ({ … })`. */
  #madeByFactory(value: Value): readonly Value[] {
    const factory = value.kind === 'object' ? value.fields.get('useFactory') : undefined;
    return factory === undefined ? [] : alternatives(this.#evaluator.called(factory));
  }

  #call(path: NodePath, isTest: boolean): void {
    const callee = child(path, 'callee');
    if (callee === undefined) return;
    const { at } = this.#evaluator.origin(path);
    const value = this.#evaluator.evaluate(path);
    const made = alternatives(value).find((one) => one.kind === 'client' && one.made === path.node);
    if (made?.kind === 'client') this.#client(path, made, at, isTest);
    for (const { consumer, values } of this.#consumers(path)) {
      const given = values.filter((one) => !alternatives(one).some(({ kind }) => kind === 'client'));
      if (given.length === 0) continue;
      this.clients.push({ library: consumer.name, at });
      // Which timeouts such a package sets is its own affair.
      this.#judge({ dialect: consumer.dialect, args: given, blocks: true, isTest }, at);
    }
    for (const one of alternatives(this.#evaluator.evaluate(callee))) {
      if (one.kind === 'method') this.#command(path, one.name, at, isTest);
      // valkey-glide's scripts are objects of their own.
      if (
        one.kind === 'export' &&
        one.from === '@valkey/valkey-glide' &&
        one.name === 'Script' &&
        this.#values(path).slice(0, 1).some(isBuilt)
      )
        this.#report('interpolated-script', at, 'Script with a script built from values');
    }
  }

  #client(path: NodePath, client: ClientValue, at: Location, isTest: boolean): void {
    this.clients.push({ library: client.dialect, at });
    const args = this.#constructorArguments(path);
    this.#judge({ dialect: client.dialect, args, blocks: this.#blocking.has(path.node), isTest }, at);
  }

  /** What reaches the library: of a class that extends a client, what it gives to `super`. */
  #constructorArguments(path: NodePath): Value[] {
    const callee = child(path, 'callee');
    const own = alternatives(this.#evaluator.evaluate(callee));
    if (own.some((one) => one.kind === 'export' && makerOf(one.from, one.name) !== undefined))
      return this.#values(path);
    const upward = own.flatMap((one) => (one.kind === 'class' ? this.#evaluator.superCalls(one.node) : []));
    return upward.length === 0 ? this.#values(path) : upward.flatMap((call) => this.#values(call));
  }

  #judge(site: Parameters<typeof judgeConnection>[0], at: Location): void {
    for (const value of site.args) this.#use(value);
    for (const { issue, detail, origin } of judgeConnection(site)) this.#report(issue, origin?.at ?? at, detail);
  }

  /** Addresses and variables that reach a client, however deep in its options. */
  #use(value: Value, field = ''): void {
    for (const one of alternatives(value)) {
      if (one.kind === 'text' || one.kind === 'pieces') for (const { node } of one.origins) this.#used.add(node);
      if (one.kind === 'object') for (const [name, inner] of one.fields) this.#use(inner, name);
      if (one.kind === 'array') for (const inner of one.elements) this.#use(inner, field);
      if (one.kind === 'environment' && /^(password|url|)$/.test(field)) this.#secrets.add(one.name);
    }
  }

  #command(path: NodePath, name: string, at: Location, isTest: boolean): void {
    if (/^[a-z]\w+$/i.test(name)) this.commands.add(name.toLowerCase());
    const [first] = childrenOf(path, 'arguments');
    const split = first !== undefined && isCall.test(first.node.type) && methodName(child(first, 'callee')) === 'split';
    for (const { issue, detail } of judgeCommand(name, this.#values(path), { isTest, split }))
      this.#report(issue, at, detail);
  }

  /** `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'`. */
  #environment(assignments: readonly NodePath[]): void {
    for (const path of assignments) {
      const left = this.#evaluator.evaluate(child(path, 'left'));
      if (left.kind !== 'environment' || left.name !== 'NODE_TLS_REJECT_UNAUTHORIZED') continue;
      const off = alternatives(this.#evaluator.evaluate(child(path, 'right'))).some(
        (one) => (one.kind === 'text' && one.text === '0') || (one.kind === 'number' && one.value === 0),
      );
      if (off)
        this.#report('unverified-tls', this.#evaluator.origin(path).at, 'NODE_TLS_REJECT_UNAUTHORIZED is set to 0');
    }
  }

  /** Addresses that no client was seen to use: they are in the source all the same. */
  #literals(texts: readonly NodePath[]): void {
    for (const path of texts) {
      if (this.#used.has(path.node) || this.#isOnlyShown(path)) continue;
      for (const value of alternatives(this.#evaluator.evaluate(path))) {
        const written = value.kind === 'text' || value.kind === 'pieces' ? readAddress(value) : undefined;
        if (written?.host === undefined) continue;
        for (const { issue, detail } of judgeAddress(written, false))
          this.#report(issue, this.#evaluator.origin(path).at, detail);
      }
    }
  }

  /** In a message, or only compared with. */
  #isOnlyShown(path: NodePath): boolean {
    const { parentPath } = path;
    if (parentPath === null) return false;
    if (parentPath.node.type === 'BinaryExpression' && /^[!=]==?$/.test(parentPath.node.operator)) return true;
    if (!isCall.test(parentPath.node.type) || path.listKey !== 'arguments') return false;
    const callee = child(parentPath, 'callee');
    const name = methodName(callee) ?? '';
    if (looksAt.test(name) || logs.test(name)) return true;
    return callee?.node.type === 'Identifier' && /Error$/.test(callee.node.name);
  }

  #log(path: NodePath): void {
    const callee = child(path, 'callee');
    if (callee === undefined || !logs.test(methodName(callee) ?? '')) return;
    if (this.#evaluator.evaluate(callee).kind === 'method') return;
    for (const value of this.#values(path).flatMap((one) => [...reachable(one)])) {
      const secret = this.#secretOf(value);
      if (secret !== undefined) this.#report('logged-secret', this.#evaluator.origin(path).at, `${secret} is logged`);
    }
  }

  #secretOf(value: Value): string | undefined {
    const names = value.kind === 'environment' ? [value.name] : value.kind === 'pieces' ? value.environment : [];
    const named = names.find((name) => this.#secrets.has(name) || secretVariable.test(name));
    if (named !== undefined) return named;
    const written = readAddress(value);
    return written?.passwordIsWritten ? written.shown : undefined;
  }
}

/** A value and what it holds, as a logger prints it. */
function* reachable(value: Value, depth = 0): Generator<Value> {
  for (const one of alternatives(value)) {
    yield one;
    if (depth > 4) continue;
    if (one.kind === 'object') for (const inner of one.fields.values()) yield* reachable(inner, depth + 1);
    if (one.kind === 'array') for (const inner of one.elements) yield* reachable(inner, depth + 1);
  }
}

/** Whether options are for a server: of a package that has other transports too, only where they say so. */
function isMeant({ only }: Consumer, value: Value): boolean {
  if (only === undefined) return true;
  const field = value.kind === 'object' ? value.fields.get(only.field) : undefined;
  return field !== undefined && alternatives(field).some((one) => one.kind === 'export' && one.name === only.is);
}

function methodName(callee: NodePath | undefined): string | undefined {
  const node = callee?.node;
  if (node?.type !== 'MemberExpression' && node?.type !== 'OptionalMemberExpression') return undefined;
  return node.property.type === 'Identifier' ? node.property.name : undefined;
}

interface Collected {
  readonly calls: NodePath[];
  readonly assignments: NodePath[];
  /** Text that can begin with an address. */
  readonly texts: NodePath[];
}

/** What the rules look at in a file, in the order of the text. */
function collect(program: NodePath): Collected {
  const found: Collected = { calls: [], assignments: [], texts: [] };
  program.traverse({
    enter(path) {
      const { node } = path;
      if (isCall.test(node.type)) found.calls.push(path);
      else if (node.type === 'AssignmentExpression') found.assignments.push(path);
      else if (node.type === 'StringLiteral' && address.test(node.value)) found.texts.push(path);
      else if (node.type === 'TemplateLiteral') found.texts.push(path);
    },
  });
  return found;
}
