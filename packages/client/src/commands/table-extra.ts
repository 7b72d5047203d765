/**
 * Commands that the servers which the generated table comes from do not have: those of sentinels, of newer servers and
 * of modules (Redis 8 ships JSON, search, time series and the probabilistic types). Same format as table.ts, written
 * by hand from the commands' documentation; the generated table wins where it knows a command too.
 */
import type { CommandRow } from './table-row.js';

/** Reads one key / writes one key, right after the command's name. */
const READ_KEY: CommandRow = [1, 1, 1, 1];
const WRITE_KEY: CommandRow = [2, 1, 1, 1];
/** Touches no key, may be repeated. */
const ASK: CommandRow = [128, 0, 0, 0];
/** Touches no key, changes something all the same. */
const CHANGE: CommandRow = [0, 0, 0, 0];

const rows = (row: CommandRow, prefix: string, names: string): [string, CommandRow][] =>
  names.split(' ').map((name) => [prefix + name, row]);

export const EXTRA_TABLE: Readonly<Record<string, CommandRow | undefined>> = Object.fromEntries([
  ...rows(ASK, 'SENTINEL ', 'MASTER MASTERS REPLICAS SLAVES SENTINELS GET-MASTER-ADDR-BY-NAME CKQUORUM MYID'),
  ...rows(CHANGE, 'SENTINEL ', 'MONITOR SET REMOVE RESET FAILOVER FLUSHCONFIG'),
  ...rows(ASK, 'CLUSTER ', 'MYSHARDID'),
  ...rows(CHANGE, 'CLIENT ', 'NO-TOUCH SETINFO'),
  ['BLESS GET', [1, 2, 2, 1]],
  ...rows([2, 2, 2, 1], 'BLESS ', 'SET CLEAR'),
  ...rows([129, 0, 0, 0], 'BLESS ', 'SCAN'),
  ...rows(ASK, 'HOTKEYS ', 'GET'),
  ...rows(CHANGE, 'HOTKEYS ', 'RESET START STOP'),

  ...rows(READ_KEY, 'JSON.', 'ARRINDEX ARRLEN GET OBJKEYS OBJLEN RESP STRLEN TYPE'),
  ...rows(
    WRITE_KEY,
    'JSON.',
    'ARRAPPEND ARRINSERT ARRPOP ARRTRIM CLEAR DEL FORGET MERGE NUMINCRBY NUMMULTBY SET STRAPPEND TOGGLE',
  ),
  ['JSON.DEBUG MEMORY', [1, 2, 2, 1]],
  // The last argument is the path.
  ['JSON.MGET', [1, 1, -2, 1]],
  // Key, path, value, and again.
  ['JSON.MSET', [2, 1, -3, 3]],

  // Index names are not keys; what a query reads is decided by the index.
  ...rows(
    [129, 0, 0, 0],
    'FT.',
    '_LIST AGGREGATE ALIASLIST DICTDUMP EXPLAIN EXPLAINCLI HYBRID INFO PROFILE SEARCH SPELLCHECK SYNDUMP TAGVALS',
  ),
  ...rows([2, 0, 0, 0], 'FT.', 'ALIASADD ALIASDEL ALIASUPDATE ALTER CREATE DICTADD DICTDEL DROPINDEX SYNUPDATE'),
  // A cursor moves when it is read: repeating it would skip a page.
  ...rows(CHANGE, 'FT.', 'CURSOR CONFIG'),
  ...rows(CHANGE, 'FT.CURSOR ', 'READ DEL'),
  ...rows(ASK, 'FT.CONFIG ', 'GET'),
  ...rows(CHANGE, 'FT.CONFIG ', 'SET'),
  ...rows(READ_KEY, 'FT.', 'SUGGET SUGLEN'),
  ...rows(WRITE_KEY, 'FT.', 'SUGADD SUGDEL'),

  ...rows(READ_KEY, 'TS.', 'GET INFO RANGE READ REVRANGE'),
  ...rows(WRITE_KEY, 'TS.', 'ADD ALTER CREATE DECRBY DEL INCRBY'),
  ['TS.CREATERULE', [2, 1, 2, 1]],
  ['TS.DELETERULE', [2, 1, 2, 1]],
  ['TS.MADD', [2, 1, -3, 3]],
  // Keys are counted by the first argument.
  ...rows([65, 0, 0, 0], 'TS.', 'NRANGE NREVRANGE'),
  // They choose series by label.
  ...rows([1, 0, 0, 0], 'TS.', 'MGET MRANGE MREVRANGE QUERYINDEX QUERYLABELS'),

  ...rows(READ_KEY, 'BF.', 'CARD EXISTS INFO MEXISTS SCANDUMP'),
  ...rows(WRITE_KEY, 'BF.', 'ADD INSERT LOADCHUNK MADD RESERVE'),
  ...rows(READ_KEY, 'CF.', 'COUNT EXISTS INFO MEXISTS SCANDUMP'),
  ...rows(WRITE_KEY, 'CF.', 'ADD ADDNX DEL INSERT INSERTNX LOADCHUNK RESERVE'),
  ...rows(READ_KEY, 'CMS.', 'INFO QUERY'),
  ...rows(WRITE_KEY, 'CMS.', 'INCRBY INITBYDIM INITBYPROB MERGE'),
  ...rows(READ_KEY, 'TOPK.', 'COUNT INFO LIST QUERY'),
  ...rows(WRITE_KEY, 'TOPK.', 'ADD INCRBY RESERVE'),
  ...rows(READ_KEY, 'TDIGEST.', 'BYRANK BYREVRANK CDF INFO MAX MIN QUANTILE RANK REVRANK TRIMMED_MEAN'),
  ...rows(WRITE_KEY, 'TDIGEST.', 'ADD CREATE MERGE RESET'),
]);
