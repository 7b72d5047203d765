/** What each cell comes to. docs/guarantees.md prints this table; the test holds both to what happens. */
import { FAULTS, type Fault } from './faults.js';
import { PATHS } from './paths.js';

const ANSWER = 'answer';
/** What the application threw, as it threw it. */
export const OWN = 'own error';

/** Results by fault; of several any may come. Codes are without `REDKEEP_`, those of the system as they are. */
type Row = Readonly<Record<Fault, readonly string[]>>;

const LOST = ['SOCKET_CLOSED', 'TIMEOUT'];
/** A command on a connection. */
const COMMAND: Row = {
  silence: ['TIMEOUT'],
  close: LOST,
  'half a frame': ['TIMEOUT'],
  garbage: ['PROTOCOL', 'TIMEOUT'],
  'wrong shape': ['PROTOCOL'],
  'passing error': [ANSWER],
  'permanent error': ['SERVER'],
  slow: [ANSWER],
  'blocked event loop': [ANSWER],
  abort: ['ABORTED'],
  'callback throws': [ANSWER],
  'callback hangs': [ANSWER],
};
/** What asks several servers says that none could be had, with the reason of one as cause. */
const DISCOVERY: Row = {
  ...COMMAND,
  silence: ['NO_NODE'],
  close: ['NO_NODE'],
  'half a frame': ['NO_NODE'],
  garbage: ['NO_NODE'],
  'wrong shape': ['NO_NODE'],
  'permanent error': ['NO_NODE'],
  abort: ['CLIENT_CLOSED'],
};
const UNAVAILABLE = ['CREDENTIALS_UNAVAILABLE'];

export const EXPECTED: Readonly<Record<string, Row>> = {
  'main connection': { ...COMMAND, 'callback throws': [OWN], 'callback hangs': ['COMMAND_REFUSED'] },
  handshake: {
    ...COMMAND,
    silence: ['CONNECT_TIMEOUT'],
    close: ['ECONNRESET', 'SOCKET_CLOSED'],
    'half a frame': ['CONNECT_TIMEOUT'],
    garbage: ['PROTOCOL'],
    'wrong shape': [ANSWER],
    'permanent error': ['AUTH_FAILED'],
    abort: ['CLIENT_CLOSED'],
  },
  push: { ...COMMAND, 'wrong shape': ['PROTOCOL', 'TIMEOUT'] },
  'blocking command': { ...COMMAND, close: ['MAYBE_EXECUTED'], garbage: ['MAYBE_EXECUTED'] },
  'pool lease': { ...COMMAND, 'callback throws': [OWN], 'callback hangs': ['TIMEOUT'] },
  'cluster node': COMMAND,
  'cluster topology': DISCOVERY,
  'Sentinel monitor': DISCOVERY,
  subscription: { ...COMMAND, 'passing error': ['SERVER_NOT_READY'], 'wrong shape': ['PROTOCOL', 'TIMEOUT'] },
  'cache load': { ...COMMAND, abort: [ANSWER] },
  'credentials provider': {
    ...COMMAND,
    silence: UNAVAILABLE,
    close: ['ECONNRESET', 'SOCKET_CLOSED'],
    'half a frame': [ANSWER],
    garbage: UNAVAILABLE,
    'wrong shape': UNAVAILABLE,
    'permanent error': UNAVAILABLE,
    abort: ['CLIENT_CLOSED'],
    'callback throws': UNAVAILABLE,
    'callback hangs': UNAVAILABLE,
  },
  listener: { ...COMMAND, 'callback throws': LOST, 'callback hangs': LOST },
  'retry and reconnect strategy': { ...COMMAND, 'callback throws': LOST, 'callback hangs': LOST },
  close: { ...COMMAND, silence: ['CLIENT_CLOSED', 'TIMEOUT'], 'half a frame': ['CLIENT_CLOSED', 'TIMEOUT'] },
};

/** Commands and connections that one attempt of the caller may cost: a read is sent again three times. */
export const MOST_PER_ATTEMPT = 16;

const shown = (results: readonly string[]) =>
  results.map((result) => (result === ANSWER || result === OWN ? result : `\`${result}\``)).join(' or ');

/** The table of docs/guarantees.md. */
export function table(): string {
  const lines = [`| path | ${FAULTS.join(' | ')} |`, `|---|${FAULTS.map(() => '---|').join('')}`];
  for (const { name, without } of PATHS)
    lines.push(
      `| ${name} | ${FAULTS.map((fault) => (without?.[fault] === undefined ? shown(EXPECTED[name]![fault]) : '–')).join(' | ')} |`,
    );
  return `${lines.join('\n')}\n`;
}
