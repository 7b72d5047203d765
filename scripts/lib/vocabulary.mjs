// Words that exist once. ARCHITECTURE.md has the same table under "Where each word lives"; check-structure compares them.
import { walk } from './module-syntax.mjs';

/**
 * Each word: what it names, the file that defines it, and how a second definition looks.
 *
 * Whatever the file exports must not be declared elsewhere under the same name. `lists` are constants of the file whose
 * literals must not be written down again as a list or a type. `also` recognises what does the same under another name.
 */
export const VOCABULARY = [
  {
    word: 'loopback, classes of addresses',
    home: 'packages/client/src/network/host-class.ts',
    also: [
      [
        'judges an address by its beginning',
        (node) => isCallWith(node, /^(startsWith|indexOf)$/, /^(127|10|192\.168)\./),
      ],
      [
        'judges an address by a pattern',
        (node) => node.type === 'RegExpLiteral' && /(127|10|192\\\.168)\\\./.test(node.pattern),
      ],
      [
        'compares with a spelling of loopback or of every interface',
        (node) => isComparison(node, /^(localhost|127\.0\.0\.1|\[?::1\]?|0\.0\.0\.0|\[?::\]?)$/),
      ],
      [
        'has a range of addresses',
        (node) =>
          isText(
            node,
            /^(127\.0\.0\.0|10\.0\.0\.0|172\.16\.0\.0|192\.168\.0\.0|169\.254\.0\.0|fe80::|fc00::)(\/\d+)?$/,
          ),
      ],
    ],
  },
  {
    word: 'dangerous commands, the harm of each',
    home: 'packages/client/src/commands/dangerous-commands.ts',
    also: [['lists dangerous commands', (node) => listsCommands(node)]],
    exempt: [
      'packages/cli/src/acl/expectations.ts', // the arguments to try commands of the table with
      'packages/client/src/commands/table.ts', // generated: every command as servers describe it
      'packages/client/src/cluster/split.ts', // which nodes of a cluster run a command that names no key
    ],
  },
  {
    word: 'engine names, order of versions',
    home: 'packages/cli/src/vocabulary/engines.ts',
    lists: ['engineNames'],
    also: [
      [
        'takes a version apart',
        (node) =>
          isCallWith(node, /^map$/) &&
          node.arguments[0]?.name === 'Number' &&
          isCallWith(node.callee.object, /^split$/, /^\.$/),
      ],
    ],
  },
  {
    word: 'profiles, topologies, targets, roles',
    home: 'packages/cli/src/vocabulary/names.ts',
    lists: ['profileNames', 'topologyNames', 'targetNames', 'roleNames'],
  },
  {
    word: 'residue keys (left behind by attacks)',
    home: 'packages/cli/src/vocabulary/residue-keys.ts',
    also: [['names such a key', (node) => isText(node, /^(crackit(_1)?|trojan[12])$/)]],
  },
  { word: 'base of all errors, codes of the client', home: 'packages/client/src/errors.ts' },
  { word: 'codes of the network, next step of each', home: 'packages/client/src/network/network-errors.ts' },
  { word: 'names close to a misspelt one', home: 'packages/client/src/options/nearest-name.ts' },
  { word: 'codes of guard', home: 'packages/guard/src/errors.ts' },
  { word: 'codes of the toolkit', home: 'packages/cli/src/errors.ts' },
  { word: 'exit codes', home: 'packages/cli/src/exit-codes.ts' },
];

const isText = (node, pattern) => node?.type === 'StringLiteral' && pattern.test(node.value);

function isCallWith(node, method, text) {
  return (
    node?.type === 'CallExpression' &&
    method.test(node.callee.property?.name ?? '') &&
    (text === undefined || node.arguments.some((argument) => isText(argument, text)))
  );
}

/** `x === 'text'`, `['text', …].includes(x)`, `new Set(['text', …])`, `case 'text':`. */
function isComparison(node, text) {
  const lists = (list) =>
    list?.type === 'ArrayExpression' &&
    list.elements.every((element) => element?.type === 'StringLiteral') &&
    list.elements.some((element) => isText(element, text));
  if (node.type === 'BinaryExpression')
    return /^[!=]==?$/.test(node.operator) && (isText(node.left, text) || isText(node.right, text));
  if (node.type === 'SwitchCase') return isText(node.test, text);
  if (node.type === 'NewExpression') return node.callee.name === 'Set' && lists(node.arguments[0]);
  return isCallWith(node, /^(includes|has|indexOf)$/) && lists(node.callee.object);
}

/** Four and more of these commands in one list are a table of dangerous commands, whatever else is in it. */
const DANGEROUS =
  /^(FLUSHALL|FLUSHDB|SHUTDOWN|DEBUG|SWAPDB|CONFIG[ |]SET|MODULE[ |]LOAD|REPLICAOF|SLAVEOF|ACL[ |]SETUSER)\b/i;
function listsCommands(node) {
  const texts =
    node.type === 'ArrayExpression'
      ? node.elements.map((element) => (element?.type === 'ArrayExpression' ? element.elements[0] : element))
      : node.type === 'ObjectExpression'
        ? node.properties.map(({ key }) =>
            key?.type === 'Identifier' ? { type: 'StringLiteral', value: key.name } : key,
          )
        : [];
  return new Set(texts.filter((text) => isText(text, DANGEROUS)).map(({ value }) => value.toUpperCase())).size >= 4;
}

const isProduction = ({ path }) => path.startsWith('packages/') && !/\.test\.|\/testing\//.test(path);
/** `DANGEROUS_COMMANDS` and `dangerousCommands` are one name. */
const plain = (name) =>
  /^[A-Z0-9_]+$/.test(name) ? name.toLowerCase().replace(/_(.)/g, (_, letter) => letter.toUpperCase()) : name;

/** Names that the top level of a module declares, with the literals of lists. */
function declarations(program) {
  const found = new Map();
  for (const statement of program.body) {
    const node = /^Export(Named|Default)Declaration$/.test(statement.type) ? statement.declaration : statement;
    const isExported = node !== statement;
    if (node?.type === 'VariableDeclaration')
      for (const { id, init } of node.declarations)
        if (id.name) found.set(id.name, { isExported, literals: literalsOf(init) });
    if (node?.id?.name) found.set(node.id.name, { isExported, literals: [] });
  }
  return found;
}

/** The literals of `['a', 'b'] as const` or `'a' | 'b'`; of anything else none. */
function literalsOf(node) {
  if (node?.type === 'TSAsExpression' || node?.type === 'TSSatisfiesExpression') return literalsOf(node.expression);
  const items =
    node?.type === 'ArrayExpression'
      ? node.elements
      : node?.type === 'TSUnionType'
        ? node.types.map((type) => (type.type === 'TSLiteralType' ? type.literal : type))
        : [];
  return items.every((item) => item?.type === 'StringLiteral') ? items.map(({ value }) => value) : [];
}

/** What is wrong, one line each. */
export function checkVocabulary(sources) {
  const complaints = [];
  const production = sources.filter(isProduction);
  for (const { word, home, lists = [], also = [], exempt = [] } of VOCABULARY) {
    const source = production.find(({ path }) => path === home);
    if (!source) {
      complaints.push(`${home} is gone: scripts/lib/vocabulary.mjs says that it defines ${word}`);
      continue;
    }
    const defined = declarations(source.program);
    const names = new Map([...defined].filter(([, { isExported }]) => isExported).map(([name]) => [plain(name), name]));
    const sets = lists.map((name) => [name, new Set(defined.get(name)?.literals)]);
    for (const [name, set] of sets) if (set.size < 2) complaints.push(`${home}: has no list ${name}`);
    for (const { path, program } of production) {
      if (path === home || exempt.includes(path)) continue;
      const complain = (what, node) =>
        complaints.push(`${path}${node ? `:${node.loc.start.line}` : ''}: ${what}; ${home} defines ${word}`);
      for (const [name] of declarations(program)) if (names.has(plain(name))) complain(`declares ${name} again`);
      walk(program, (node) => {
        const literals = literalsOf(node);
        for (const [name, set] of sets) {
          const isAgain = literals.length >= Math.min(3, set.size) && literals.every((literal) => set.has(literal));
          if (isAgain && (node.type === 'TSUnionType' || literals.length === set.size))
            complain(`repeats ${name}`, node);
        }
        for (const [what, is] of also) if (is(node)) complain(what, node);
      });
    }
  }
  return complaints;
}

/** Rows of the table in ARCHITECTURE.md that are missing. */
export function checkVocabularyTable(architecture) {
  return VOCABULARY.filter(({ word, home }) => !architecture.includes(`\n| ${word} | \`${home}\` |\n`)).map(
    ({ word, home }) => `ARCHITECTURE.md: "Where each word lives" has no row: | ${word} | \`${home}\` |`,
  );
}
