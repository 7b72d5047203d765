/** All commands by their camelCase names, and the upper-case names that are not just these in capitals. */
import * as arrays from './arrays.js';
import * as bitmaps from './bitmaps.js';
import type { CommandFunction } from './command.js';
import * as connection from './connection.js';
import * as geo from './geo.js';
import * as hashes from './hashes.js';
import * as hyperloglog from './hyperloglog.js';
import * as keys from './keys.js';
import * as lists from './lists.js';
import * as sets from './sets.js';
import * as sortedSets from './sorted-sets.js';
import * as streamGroups from './stream-groups.js';
import * as streamPending from './stream-pending.js';
import * as streamReading from './stream-reading.js';
import * as streams from './streams.js';
import * as strings from './strings.js';
import * as vectorSets from './vector-sets.js';

/** The functions of a group: what else its module exports (aliases, constants) is no command. */
type FunctionsOf<G> = { [K in keyof G as G[K] extends CommandFunction ? K : never]: G[K] };
function commandsOf<G extends object>(group: G): FunctionsOf<G> {
  return Object.fromEntries(Object.entries(group).filter(([, value]) => typeof value === 'function')) as FunctionsOf<G>;
}

export const COMMANDS = {
  ...commandsOf(arrays),
  ...commandsOf(bitmaps),
  ...commandsOf(connection),
  ...commandsOf(geo),
  ...commandsOf(hashes),
  ...commandsOf(hyperloglog),
  ...commandsOf(keys),
  ...commandsOf(lists),
  ...commandsOf(sets),
  ...commandsOf(sortedSets),
  ...commandsOf(streamGroups),
  ...commandsOf(streamPending),
  ...commandsOf(streamReading),
  ...commandsOf(streams),
  ...commandsOf(strings),
  ...commandsOf(vectorSets),
};
export type Commands = typeof COMMANDS;

export const ALIASES = {
  ...arrays.aliases,
  ...bitmaps.aliases,
  ...connection.aliases,
  ...geo.aliases,
  ...hashes.aliases,
  ...keys.aliases,
  ...lists.aliases,
  ...sets.aliases,
  ...sortedSets.aliases,
  ...streamGroups.aliases,
  ...streamPending.aliases,
  ...streams.aliases,
  ...strings.aliases,
  ...vectorSets.aliases,
};
export type Aliases = typeof ALIASES;
