import { type Random, randomFrom } from '@redkeep/testing';
import type { SourceIssue } from '../../../facts/project-facts.js';

/** A project of a few files, and what is wrong with it. */
export interface RandomProgram {
  readonly files: ReadonlyMap<string, string>;
  readonly issues: readonly SourceIssue[];
}

/** Choices from a seed, so that a program that was judged wrongly can be made again. */
class Chance {
  readonly below: Random;

  constructor(seed: number) {
    this.below = randomFrom(seed);
  }

  one<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }
}

/** Settings as they are written: text for an expression, or settings inside. */
type Settings = { readonly [name: string]: string | Settings };

interface Make {
  /** What is imported of which package. */
  readonly from: string;
  readonly name: string;
  /** How the import is called. */
  readonly call: (callee: string, options: string) => string;
  readonly safe: Settings;
  readonly faults: readonly (readonly [SourceIssue, Settings])[];
}

const bounded = { commandOptions: { timeout: '1000' } };
const privateTls = { host: "'redis.internal'", tls: 'true', ca: 'process.env.CA' };

export const makes: readonly Make[] = [
  {
    from: 'redis',
    name: 'createClient',
    call: (callee, options) => `${callee}(${options})`,
    safe: { ...bounded, username: "'app'", password: 'process.env.P', socket: privateTls },
    faults: [
      ['plaintext-url', { ...bounded, socket: { host: "'cache.example.com'" } }],
      ['plaintext-url', { ...bounded, url: "'redis://cache.example.com:6379'" }],
      ['unverified-tls', { ...bounded, socket: { ...privateTls, rejectUnauthorized: 'false' } }],
      ['unverified-tls', { ...bounded, socket: { ...privateTls, checkServerIdentity: '() => undefined' } }],
      ['missing-ca', { ...bounded, socket: { host: "'redis.internal'", tls: 'true' } }],
      ['old-tls', { ...bounded, socket: { ...privateTls, minVersion: "'TLSv1.1'" } }],
      ['default-user', { ...bounded, password: 'process.env.P' }],
      ['credential', { ...bounded, username: "'app'", password: "'test-only'" }],
      ['credential', { ...bounded, url: "'rediss://app:test-only@cache.example.com'" }],
      ['unbounded', { username: "'app'", password: 'process.env.P', socket: privateTls }],
    ],
  },
  {
    from: 'ioredis',
    name: 'default',
    call: (callee, options) => `new ${callee}(${options})`,
    safe: {
      commandTimeout: '1000',
      username: "'app'",
      password: 'process.env.P',
      host: "'redis.internal'",
      tls: { ca: 'process.env.CA' },
    },
    faults: [
      ['plaintext-url', { commandTimeout: '1000', host: "'cache.example.com'", port: '6379' }],
      ['unverified-tls', { commandTimeout: '1000', host: "'cache.example.com'", tls: { rejectUnauthorized: 'false' } }],
      ['missing-ca', { commandTimeout: '1000', host: "'redis.internal'", tls: {} }],
      ['credential', { commandTimeout: '1000', username: "'app'", password: "'test-only'" }],
      ['unbounded', { commandTimeout: '1000', maxRetriesPerRequest: 'null' }],
      ['unbounded', { host: "'localhost'" }],
    ],
  },
  {
    from: '@valkey/valkey-glide',
    name: 'GlideClient',
    call: (callee, options) => `await ${callee}.createClient(${options})`,
    safe: {
      useTLS: 'true',
      addresses: "[{ host: 'cache.example.com' }]",
      credentials: { username: "'app'", password: 'process.env.P' },
    },
    faults: [
      ['plaintext-url', { addresses: "[{ host: 'cache.example.com' }]" }],
      ['credential', { useTLS: 'true', credentials: { username: "'app'", password: "'test-only'" } }],
      ['unverified-tls', { useTLS: 'true', advancedConfiguration: { tlsAdvancedConfiguration: { insecure: 'true' } } }],
    ],
  },
  {
    from: 'redkeep',
    name: 'createClient',
    call: (callee, options) => `${callee}(${options})`,
    safe: {
      username: "'app'",
      password: 'process.env.P',
      socket: { host: "'redis.internal'" },
      tls: { caFile: "'ca.crt'" },
    },
    faults: [
      ['plaintext-url', { socket: { host: "'cache.example.com'", tls: 'false' } }],
      ['unverified-tls', { tls: { dangerouslyAcceptAnyCertificate: 'true' } }],
      ['old-tls', { tls: { minVersion: "'TLSv1'" } }],
    ],
  },
];

/** Constructors of other packages that take options of the same names. */
const strangers: readonly (readonly [from: string, name: string])[] = [
  ['@aws-sdk/client-s3', 'S3Client'],
  ['pg', 'Client'],
  ['memjs', 'Client'],
  ['ldapts', 'Client'],
];

/** A placeholder of a template in the program that is made. */
function placed(expression: string): string {
  return `${'$'}{${expression}}`;
}

/** What a program does with its client: `CLIENT` stands for the client. */
const uses: readonly (readonly [SourceIssue, string])[] = [
  ['dangerous-call', "await CLIENT.keys('*');"],
  ['dangerous-call', 'await CLIENT.flushall();'],
  ['dangerous-call', "await CLIENT['flushall']();"],
  ['dangerous-call', "await CLIENT.customCommand(['FLUSHALL']);"],
  ['interpolated-script', `await CLIENT.eval(\`return ${placed('process.argv[2]')}\`);`],
  ['interpolated-script', "const script = 'return ' + process.argv[2];\nawait CLIENT.eval(script);"],
  ['built-command', "await CLIENT.sendCommand(process.argv[2].split(' '));"],
  ['built-command', `await CLIENT.call(\`GET ${placed('process.argv[2]')}\`);`],
];

const harmless = [
  "await CLIENT.set('a', process.argv[2]);",
  "await CLIENT.eval('return 1');",
  `const limit = 5;\nawait CLIENT.eval(\`return ${placed('limit')}\`);`,
  "await CLIENT.sendCommand(['GET', process.argv[2]]);",
];

/** Only looks like a client. */
const decoys = [
  "import { S3Client } from '@aws-sdk/client-s3';\nconst redisClient = new S3Client({ tls: { rejectUnauthorized: false } });\nredisClient.save();",
  "import pino from 'pino';\nconst cacheLogger = pino();\ncacheLogger.set('level', 'debug');\ncacheLogger.info('redis is up');",
  "const cache = new Map();\ncache.keys();\ncache.set('keys', 1);",
  "class RedisLike { keys() { return []; } flushall() {} }\nconst redis = new RedisLike();\nredis.keys('*');\nredis.flushall();",
  "import { db } from 'some-database';\nawait db.flushall();\ndb.monitor('x');",
  "if (process.argv[2].startsWith('redis://cache.example.com')) throw new Error('redis://cache.example.com is not allowed');",
  "const help = 'CLIENT.flushall() empties the server'; // redis://cache.example.com",
];

/** One program of several files while it is made. */
class Project {
  readonly #chance: Chance;
  readonly #files = new Map<string, string[]>([['src/main.ts', []]]);
  #names = 0;

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  name(prefix = 'v'): string {
    return `${prefix}${this.#names++}`;
  }

  /** A further line of a file, or of the main one. */
  line(text: string, file = 'src/main.ts'): void {
    this.#files.set(file, [...(this.#files.get(file) ?? []), text]);
  }

  /** An expression that holds once these lines are there. */
  after(expression: string, text: string): string {
    this.line(text);
    return expression;
  }

  /** The same with a line in another file. */
  far(expression: string, file: string, exported: string, text: string): string {
    this.line(exported, file);
    return this.after(expression, text);
  }

  files(): Map<string, string> {
    return new Map([...this.#files].map(([file, lines]) => [file, `${lines.join('\n')}\n`]));
  }

  /** A name by which this file calls an export of a package. */
  imported(from: string, name: string): string {
    const local = this.name('Imported');
    const kinds = [
      () =>
        this.line(
          name === 'default' ? `import ${local} from '${from}';` : `import { ${name} as ${local} } from '${from}';`,
        ),
      () => this.line(`import * as ${local}All from '${from}';\nconst ${local} = ${local}All.${name};`),
      () => this.line(`const { ${name}: ${local} } = await import('${from}');`),
      () =>
        this.line(
          name === 'default'
            ? `const ${local} = require('${from}');`
            : `const { ${name}: ${local} } = require('${from}');`,
        ),
      () => {
        this.line(`export { ${name} as ${local} } from '${from}';`, 'src/packages.ts');
        this.line(`import { ${local} } from './packages.js';`);
      },
    ];
    this.#chance.one(kinds)();
    return local;
  }

  /** The same value under another expression. `isText`: it is a constant text, which can also be cut in two. */
  moved(expression: string, kind: 'text' | 'object' | 'other'): string {
    const name = this.name();
    const file = `src/${this.name('part')}.ts`;
    const base = `./${file.slice(4, -3)}.js`;
    // What is known in this file alone cannot be moved to another one.
    const elsewhere = !/\b(v|Imported)\d| as const/.test(expression);
    const moves: (() => string)[] = [
      () => expression,
      () => `(${expression})`,
      () => this.after(name, `const ${name} = ${expression};`),
      () => this.after(name, `let ${name};\n${name} = ${expression};`),
      () => this.after(`${name}.deep.value`, `const ${name} = { deep: { value: ${expression} } };`),
      () => this.after(name, `const { value: ${name} } = { value: ${expression} };`),
      () => this.after(`${name}()`, `function ${name}() { return ${expression}; }`),
      () => this.after(`${name}.value`, `class ${name} { static value = ${expression}; }`),
      () => this.after(`${name}[0]`, `const ${name} = [${expression}];`),
    ];
    const farMoves: readonly (() => string)[] = [
      () => this.far(name, file, `export const ${name} = ${expression};`, `import { ${name} } from '${base}';`),
      () =>
        this.far(
          name,
          file,
          `export const original = ${expression};`,
          `import { original as ${name} } from '${base}';`,
        ),
      () => this.far(name, file, `export default ${expression};`, `import ${name} from '${base}';`),
      () =>
        this.far(`${name}.inner`, file, `export const inner = ${expression};`, `import * as ${name} from '${base}';`),
      () => {
        this.line(`export * from '${base}';`, 'src/barrel.ts');
        return this.far(name, file, `export const ${name} = ${expression};`, `import { ${name} } from './barrel.js';`);
      },
      () =>
        this.far(
          name,
          file.replace('.ts', '.cjs'),
          `module.exports = { ${name}: ${expression} };`,
          `const { ${name} } = require('${base.replace('.js', '.cjs')}');`,
        ),
    ];
    if (elsewhere) moves.push(...farMoves);
    if (kind === 'object')
      moves.push(
        () => `{ ...${this.moved(expression, 'other')} }`,
        () => `Object.assign({}, ${expression})`,
        () => `Object.freeze(${expression})`,
        () => `(${expression} as const)`,
      );
    if (kind === 'text') {
      const at = 2 + this.#chance.below(Math.max(1, expression.length - 3));
      const [head, tail] = [`${expression.slice(0, at)}'`, `'${expression.slice(at)}`];
      moves.push(
        () => `\`${placed(this.moved(head, 'other'))}${placed(this.moved(tail, 'other'))}\``,
        () => `${head} + ${this.moved(tail, 'other')}`,
        () => `(process.env.${name.toUpperCase()} ?? ${expression})`,
        () => `(process.env.${name.toUpperCase()} || ${this.moved(expression, 'other')})`,
      );
    }
    return this.#chance.one(moves)();
  }

  /** Options with some of their values moved elsewhere. */
  options(settings: Settings): string {
    const written = Object.entries(settings).map(([name, value]): [string, string] => {
      if (typeof value !== 'string') return [name, this.options(value)];
      const kind = /^'[^']*'$/.test(value) ? 'text' : 'other';
      return [name, this.#chance.below(3) === 0 ? this.moved(value, kind) : value];
    });
    const text = `{ ${written.map(([name, value]) => `${name}: ${value}`).join(', ')} }`;
    return this.#chance.below(3) === 0 ? this.moved(text, 'object') : text;
  }

  /** Makes a client somewhere, and gives an expression for it in a place where it can be used. */
  client(make: Make, options: string): { readonly use: (statement: string) => void } {
    const callee = this.imported(make.from, make.name);
    const made = make.call(callee, options);
    const name = this.name('held');
    const plain = (expression: string) => ({
      use: (statement: string) => this.line(`{ ${statement.replaceAll('CLIENT', expression)} }`),
    });
    const file = `src/${this.name('clients')}.ts`;
    const kinds: (() => { readonly use: (statement: string) => void })[] = [
      () => plain(this.after(name, `const ${name} = ${made};`)),
      () => plain(this.after(name, `let ${name};\n${name} = ${made};`)),
      () => plain(this.after(`${name}.deep.it`, `const ${name} = { deep: { it: ${made} } };`)),
      () => plain(this.after(name, `const first${name} = ${made};\nconst ${name} = first${name}.duplicate();`)),
      () => plain(this.after(`(await ${name}())`, `async function ${name}() { const it = ${made}; return it; }`)),
      () =>
        plain(
          this.after(
            `again${name}`,
            `const ${name} = ${made};\nexport { ${name} };\nimport { ${name} as again${name} } from './main.js';`,
          ),
        ),
      () => ({
        use: (statement) =>
          this.line(
            `class ${name} { #it = ${made.replace('await ', '')}; async run() { ${statement.replaceAll('CLIENT', 'this.#it')} } }`,
          ),
      }),
      () => ({
        use: (statement) =>
          this.line(
            `class ${name} { async open() { this.it = ${made}; } async run() { ${statement.replaceAll('CLIENT', 'this.it')} } }`,
          ),
      }),
      () => ({
        use: (statement) =>
          this.line(
            `class ${name} { constructor(private readonly it) {} async run() { ${statement.replaceAll('CLIENT', 'this.it')} } }\nnew ${name}(${made});`,
          ),
      }),
      () => ({
        use: (statement) =>
          this.line(
            `class Base${name} { constructor(it) { this.it = it; } }\nclass ${name} extends Base${name} { async run() { ${statement.replaceAll('CLIENT', 'this.it')} } }\nnew ${name}(${made});`,
          ),
      }),
      () => ({
        use: (statement) =>
          this.line(`async function ${name}(it) { ${statement.replaceAll('CLIENT', 'it')} }\nawait ${name}(${made});`),
      }),
      () => ({
        use: (statement) => {
          this.line(`export async function ${name}({ it }) { ${statement.replaceAll('CLIENT', 'it')} }`, file);
          this.line(`import { ${name} } from './${file.slice(4, -3)}.js';\nawait ${name}({ it: ${made} });`);
        },
      }),
      () => ({
        use: (statement) => this.line(`for (const it of [${made}]) { ${statement.replaceAll('CLIENT', 'it')} }`),
      }),
      () => ({
        use: (statement) => this.line(`[${made}].forEach(async (it) => { ${statement.replaceAll('CLIENT', 'it')} });`),
      }),
    ];
    return this.#chance.one(kinds)();
  }

  decoy(): void {
    const file = `src/${this.name('decoy')}.ts`;
    this.line(this.#chance.one(decoys), file);
    this.line(`import './${file.slice(4, -3)}.js';`);
  }
}

/** A program with one fault in its client's options, one in what it does with it, both, or none. */
export function randomProgram(seed: number): RandomProgram {
  const chance = new Chance(seed);
  const project = new Project(chance);
  const make = chance.one(makes);
  const issues: SourceIssue[] = [];
  const broken = chance.below(3) > 0;
  const [issue, settings] = broken ? chance.one(make.faults) : ([undefined, make.safe] as const);
  if (issue !== undefined) issues.push(issue);
  const client = project.client(make, project.options(settings));
  if (chance.below(2) === 0) {
    const [used, statement] = chance.one(uses);
    issues.push(used);
    client.use(statement);
  } else client.use(chance.one(harmless));
  if (chance.below(2) === 0) project.decoy();
  return { files: project.files(), issues: [...new Set(issues)].sort() };
}

/** The same shapes around clients of other packages: nothing in them concerns a server of ours. */
export function innocentProgram(seed: number): RandomProgram {
  const chance = new Chance(seed);
  const project = new Project(chance);
  const [from, name] = chance.one(strangers);
  const { faults } = chance.one(makes);
  const [, settings] = chance.one(faults.filter(([, one]) => !('url' in one)));
  const stranger: Make = { from, name, call: (callee, options) => `new ${callee}(${options})`, safe: {}, faults: [] };
  const client = project.client(stranger, project.options(settings));
  client.use(chance.one([...uses.map(([, statement]) => statement), ...harmless]));
  project.decoy();
  return { files: project.files(), issues: [] };
}
