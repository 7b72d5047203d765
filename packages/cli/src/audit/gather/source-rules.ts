import { isLoopback } from 'redkeep';
import type { Location, SourceFacts, SourceFinding, SourceIssue } from '../facts/project-facts.js';

/** What the rules need of a parser's tree (ESTree as Babel writes it). */
export interface SyntaxNode {
  readonly type: string;
  readonly loc?: { readonly start: { readonly line: number } } | null;
  readonly [field: string]: unknown;
}

const libraries: Readonly<Record<string, string>> = {
  redis: 'node-redis',
  '@redis/client': 'node-redis',
  ioredis: 'ioredis',
  iovalkey: 'ioredis',
  '@valkey/valkey-glide': 'valkey-glide',
  redkeep: 'redkeep',
};
const factories =
  /^(createClient|createClientPool|createCluster|createSentinel|Redis|Cluster|GlideClient|GlideClusterClient|IORedis|Valkey)$/;
const dangerous = /^(keys|flushall|flushdb|flushAll|flushDb|debug|shutdown|monitor|save)$/;
const scripting = /^(eval|evalsha|evalSha|evalRo|eval_ro|functionLoad|scriptLoad|fcall)$/;
const raw = /^(sendCommand|call|customCommand|executeRaw)$/;
/** Names that say themselves what they are, and names that say it in a file that uses a client library. */
const ownName = /redis|valkey|glide/i;
const likelyName = /cache|client|store|db|kv/i;

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && typeof (value as SyntaxNode).type === 'string';
}

function children(node: SyntaxNode): SyntaxNode[] {
  return Object.entries(node).flatMap(([field, value]) => {
    if (field === 'loc') return [];
    if (Array.isArray(value)) return value.filter(isNode);
    return isNode(value) ? [value] : [];
  });
}

function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  if (node.type === 'Identifier') return String(node['name']);
  if (node.type === 'StringLiteral') return String(node['value']);
  if (node.type === 'ThisExpression') return 'this';
  if (node.type === 'MemberExpression' || node.type === 'OptionalMemberExpression') {
    return `${nameOf(node['object'])}.${nameOf(node['property'])}`;
  }
  return node.type === 'AwaitExpression' ? nameOf(node['argument']) : '';
}

function constant(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'StringLiteral') return String(node['value']);
  if (node.type !== 'TemplateLiteral') return undefined;
  const quasis = node['quasis'] as SyntaxNode[];
  if ((node['expressions'] as unknown[]).length > 0) return undefined;
  return quasis.map((one) => String((one['value'] as { cooked?: string }).cooked ?? '')).join('');
}

/** Text put together from parts that are not constant. */
function isBuilt(node: unknown): boolean {
  if (!isNode(node)) return false;
  if (node.type === 'TemplateLiteral') return (node['expressions'] as unknown[]).length > 0;
  return (
    node.type === 'BinaryExpression' &&
    node['operator'] === '+' &&
    ![node['left'], node['right']].every((side) => constant(side) !== undefined)
  );
}

function properties(node: unknown): Map<string, SyntaxNode> {
  const found = new Map<string, SyntaxNode>();
  if (!isNode(node) || node.type !== 'ObjectExpression') return found;
  for (const property of node['properties'] as SyntaxNode[]) {
    if (property.type === 'ObjectProperty' && isNode(property['value']))
      found.set(nameOf(property['key']), property['value']);
    if (property.type === 'ObjectMethod') found.set(nameOf(property['key']), property);
  }
  return found;
}

/** Properties of an object and of the objects within it, by name; outer ones win. */
function deepProperties(node: unknown): Map<string, SyntaxNode> {
  const found = properties(node);
  for (const value of [...found.values()]) {
    for (const [name, inner] of deepProperties(value)) if (!found.has(name)) found.set(name, inner);
  }
  return found;
}

/** `addresses: [{ host }]` of valkey-glide and a cluster's `rootNodes`: the first element stands for all. */
function withinArrays(node: unknown): [string, SyntaxNode][] {
  return [...deepProperties(node).values()].flatMap((value) =>
    value.type === 'ArrayExpression' ? [...deepProperties((value['elements'] as unknown[])[0])] : [],
  );
}

function booleanOf(node: SyntaxNode | undefined): boolean | undefined {
  return node?.type === 'BooleanLiteral' ? Boolean(node['value']) : undefined;
}

/** The host of a URL or an option, with or without a port, leads to this machine alone. */
function isLocal(host: string): boolean {
  return isLoopback(host.replace(/:\d+$/, '')) || isLoopback(host);
}

/** `redis://user:secret@host` without the secret, for reports. */
function masked(url: string): string {
  return url.replace(/\/\/([^/@]*)@/, (_, userinfo: string) => `//${userinfo.split(':')[0]}:***@`);
}

class Scan {
  readonly findings: SourceFinding[] = [];
  readonly clients: { library: string; at: Location }[] = [];
  readonly commands = new Set<string>();
  readonly #imported = new Map<string, string>();
  /** Variables and properties that hold a client, or come from a module that is named after one. */
  readonly #holders = new Set<string>();
  readonly #file: string;
  readonly #isTest: boolean;

  constructor(file: string, isTest: boolean) {
    this.#file = file;
    this.#isTest = isTest;
  }

  visit(node: SyntaxNode): void {
    if (node.type === 'ImportDeclaration') this.#import(node);
    if (node.type === 'StringLiteral' || node.type === 'TemplateLiteral') this.#url(node);
    if (/^(Optional)?CallExpression$/.test(node.type) || node.type === 'NewExpression') this.#call(node);
    if (node.type === 'AssignmentExpression') this.#assignment(node);
    if (node.type === 'VariableDeclarator') this.#hold(node['id'], node['init']);
    for (const child of children(node)) this.visit(child);
  }

  #report(issue: SourceIssue, node: SyntaxNode, detail: string): void {
    this.findings.push({ issue, at: this.#at(node), detail });
  }

  #at(node: SyntaxNode): Location {
    return { file: this.#file, line: node.loc?.start.line ?? 1 };
  }

  #import(node: SyntaxNode): void {
    const source = constant(node['source']) ?? '';
    const library = libraries[source];
    const names = (node['specifiers'] as SyntaxNode[]).map((specifier) => nameOf(specifier['local']));
    for (const name of names) {
      if (library !== undefined) this.#imported.set(name, library);
      else if (source.startsWith('.') && ownName.test(source)) this.#holders.add(name);
    }
  }

  /** Remembers what a new client, or one that was connected or duplicated, is called. */
  #hold(target: unknown, value: unknown): void {
    let made = value;
    while (isNode(made)) {
      if (made.type === 'AwaitExpression') made = made['argument'];
      else if (/CallExpression$|NewExpression/.test(made.type)) {
        const callee = made['callee'] as SyntaxNode;
        if (this.#libraryOf(made) !== undefined) {
          this.#holders.add(nameOf(target));
          return;
        }
        // `createClient().connect()`, `createClient().on(…).connect()`
        made = /MemberExpression$/.test(callee.type) ? callee['object'] : undefined;
      } else return;
    }
  }

  #libraryOf(call: SyntaxNode): string | undefined {
    const callee = nameOf(call['callee']);
    const last = callee.split('.').at(-1) ?? '';
    const direct = this.#imported.get(callee);
    if (direct !== undefined) return factories.test(last) || call.type === 'NewExpression' ? direct : undefined;
    return factories.test(last) ? this.#imported.get(callee.split('.')[0]!) : undefined;
  }

  #isClient(receiver: string): boolean {
    const last = receiver.split('.').at(-1) ?? '';
    return (
      this.#holders.has(receiver) ||
      ownName.test(last) ||
      (this.#imported.size > 0 && likelyName.test(last) && !/map$|set$/i.test(last))
    );
  }

  #url(node: SyntaxNode): void {
    const start =
      constant(node) ??
      (node.type === 'TemplateLiteral'
        ? String(((node['quasis'] as SyntaxNode[])[0]!['value'] as { cooked?: string }).cooked ?? '')
        : '');
    const [, scheme, userinfo, host] = start.match(/^(redis|valkey|rediss|valkeys):\/\/(?:([^@/]*)@)?([^/?]*)/) ?? [];
    if (scheme === undefined || this.#isTest) return;
    if (!scheme.endsWith('ss') && scheme !== 'valkeys' && host && !isLocal(host))
      this.#report('plaintext-url', node, `${masked(start)} is not encrypted`);
    const secret = userinfo?.split(':')[1];
    if (secret) this.#report('credential', node, `${masked(start)} carries a password`);
    if (secret && /^(default)?$/.test(userinfo!.split(':')[0]!))
      this.#report('default-user', node, `${masked(start)} logs in as the default user`);
    if (/[?&](tls_insecure|rejectUnauthorized=false|insecure)/.test(start))
      this.#report('unverified-tls', node, `${masked(start)} turns verification off`);
  }

  #assignment(node: SyntaxNode): void {
    this.#hold(node['left'], node['right']);
    if (nameOf(node['left']).endsWith('env.NODE_TLS_REJECT_UNAUTHORIZED') && constant(node['right']) === '0') {
      this.#report('unverified-tls', node, 'NODE_TLS_REJECT_UNAUTHORIZED is set to 0');
    }
  }

  #call(node: SyntaxNode): void {
    const callee = nameOf(node['callee']);
    const last = callee.split('.').at(-1) ?? '';
    const args = node['arguments'] as SyntaxNode[];
    if (callee === 'require') {
      const library = libraries[constant(args[0]) ?? ''];
      if (library !== undefined)
        for (const name of ['createClient', 'createCluster', 'Redis', 'Cluster', 'GlideClient', 'redis', 'Script'])
          this.#imported.set(name, library);
      return;
    }
    const library = this.#libraryOf(node);
    if (library !== undefined) this.#client(node, library, args);
    // valkey-glide's scripts are objects of their own.
    if (node.type === 'NewExpression' && last === 'Script' && this.#imported.has(callee) && isBuilt(args[0]))
      this.#report('interpolated-script', node, 'Script with a script built from values');
    if (/^console\.|^(logger|log)\./.test(callee)) this.#log(node, args);
    const receiver = callee.split('.').slice(0, -1).join('.');
    if (receiver !== '' && this.#isClient(receiver)) this.#command(node, last, args);
  }

  #client(node: SyntaxNode, library: string, args: readonly SyntaxNode[]): void {
    this.clients.push({ library, at: this.#at(node) });
    const options = new Map(args.flatMap((one) => [...deepProperties(one), ...withinArrays(one)]));
    if (booleanOf(options.get('rejectUnauthorized')) === false)
      this.#report('unverified-tls', node, 'rejectUnauthorized: false');
    for (const name of ['dangerouslyAcceptAnyCertificate', 'insecure'])
      if (booleanOf(options.get(name)) === true) this.#report('unverified-tls', node, `${name}: true`);
    const identity = options.get('checkServerIdentity');
    if (identity && /Function|Method/.test(identity.type))
      this.#report('unverified-tls', node, 'checkServerIdentity is replaced');
    const minimum = constant(options.get('minVersion'));
    if (minimum !== undefined && /^TLSv1(\.1)?$/.test(minimum)) this.#report('old-tls', node, `minVersion ${minimum}`);
    if (this.#isTest) return;
    const password = constant(options.get('password'));
    if (
      library === 'redkeep' &&
      booleanOf(options.get('allowPlaintext')) === true &&
      !isLocal(constant(options.get('host')) ?? 'localhost')
    )
      this.#report('plaintext-url', node, 'allowPlaintext: true');
    if (password) this.#report('credential', node, 'password is a constant');
    if (options.has('password') && !options.has('username') && !options.has('url') && library !== 'valkey-glide')
      this.#report('default-user', node, 'password without username logs in as the default user');
    // ioredis: new Redis(port, host, options)
    const positional = library === 'ioredis' && args[0]?.type === 'NumericLiteral' ? constant(args[1]) : undefined;
    const host = constant(options.get('host')) ?? positional;
    const encrypted = options.has('tls') || booleanOf(options.get('useTLS')) === true;
    if (
      host !== undefined &&
      !isLocal(host) &&
      (booleanOf(options.get('tls')) === false || (!encrypted && library !== 'redkeep'))
    )
      this.#report('plaintext-url', node, `${host} without TLS`);
    const tls = options.get('tls');
    const privateName =
      host !== undefined &&
      (/\.(internal|local|lan|svc|corp)$|^[^.]+$/.test(host) || /^(10|192\.168|172\.(1[6-9]|2\d|3[01]))\./.test(host));
    if (
      privateName &&
      !isLocal(host) &&
      encrypted &&
      booleanOf(tls) !== false &&
      !options.has('ca') &&
      !options.has('caFile')
    )
      this.#report('missing-ca', node, `${host} with TLS but without a CA`);
    if (library === 'ioredis' && options.get('maxRetriesPerRequest')?.type === 'NullLiteral')
      this.#report('unbounded', node, 'maxRetriesPerRequest: null retries for ever');
    if (library === 'ioredis' && !options.has('commandTimeout')) this.#report('unbounded', node, 'no commandTimeout');
    if (library === 'node-redis' && !options.has('commandOptions') && !options.has('socketTimeout'))
      this.#report('unbounded', node, 'no command timeout (commandOptions.timeout or socket.socketTimeout)');
  }

  #command(node: SyntaxNode, name: string, args: readonly SyntaxNode[]): void {
    if (/^[a-z]\w+$/i.test(name)) this.commands.add(name.toLowerCase());
    const [first] = args;
    // ioredis takes the script of a new command in an option.
    const script = name === 'defineCommand' ? properties(args[1]).get('lua') : scripting.test(name) ? first : undefined;
    if (isBuilt(script)) this.#report('interpolated-script', node, `${name} with a script built from values`);
    if (raw.test(name)) {
      const elements = first?.type === 'ArrayExpression' ? (first['elements'] as SyntaxNode[]) : args;
      const built = isBuilt(first) || (first?.type === 'CallExpression' && nameOf(first['callee']).endsWith('split'));
      if (built || isBuilt(elements[0])) this.#report('built-command', node, `${name} with a command built from text`);
      const command = constant(elements[0])?.toLowerCase();
      if (command !== undefined && dangerous.test(command) && !this.#isTest)
        this.#report('dangerous-call', node, `${name} ${command.toUpperCase()}`);
    }
    if (
      dangerous.test(name) &&
      !this.#isTest &&
      !(name === 'keys' && args.length === 0) &&
      !(name === 'save' && args.length > 0)
    ) {
      this.#report('dangerous-call', node, `${name}()`);
    }
  }

  #log(node: SyntaxNode, args: readonly SyntaxNode[]): void {
    const names = args
      .flatMap((one) => (one.type === 'TemplateLiteral' ? (one['expressions'] as SyntaxNode[]) : [one]))
      .map(nameOf);
    const secret = names.find((name) =>
      /(REDIS|VALKEY)\w*_(URL|PASSWORD|AUTH)$|(redis|valkey)\w*(Url|URL|Password)$/i.test(name),
    );
    if (secret !== undefined) this.#report('logged-secret', node, `${secret} is logged`);
  }
}

/** Applies every rule to one parsed file. */
export function scanProgram(
  program: SyntaxNode,
  file: string,
  isTest: boolean,
): { findings: SourceFinding[]; clients: SourceFacts['clients']; commands: string[] } {
  const scan = new Scan(file, isTest);
  scan.visit(program);
  return { findings: scan.findings, clients: scan.clients, commands: [...scan.commands] };
}
