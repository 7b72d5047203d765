/** All commands by their camelCase names, and the upper-case names that are not just these in capitals. */
import * as acl from './acl.js';
import * as arrays from './arrays.js';
import * as bitmaps from './bitmaps.js';
import * as bless from './bless.js';
import * as cluster from './cluster.js';
import * as clusterSlots from './cluster-slots.js';
import type { CommandFunction } from './command.js';
import * as commandInfo from './command-info.js';
import * as commandLog from './command-log.js';
import * as config from './config.js';
import * as connection from './connection.js';
import * as functions from './functions.js';
import * as geo from './geo.js';
import * as hashes from './hashes.js';
import * as hotkeys from './hotkeys.js';
import * as hyperloglog from './hyperloglog.js';
import * as keys from './keys.js';
import * as latency from './latency.js';
import * as lists from './lists.js';
import * as memory from './memory.js';
// Not `module`: CommonJS has a variable of that name.
import * as moduleGroup from './module.js';
import * as pubsub from './pubsub.js';
import * as scripting from './scripting.js';
import * as sentinel from './sentinel.js';
import * as server from './server.js';
import * as sets from './sets.js';
import * as sortedSets from './sorted-sets.js';
import * as streamGroups from './stream-groups.js';
import * as streamPending from './stream-pending.js';
import * as streamReading from './stream-reading.js';
import * as streams from './streams.js';
import * as strings from './strings.js';
import * as vectorSets from './vector-sets.js';

/** The functions of a group: what else its module exports (aliases, constants) is left out. */
type FunctionsOf<G> = { [K in keyof G as G[K] extends CommandFunction ? K : never]: G[K] };
function commandsOf<G extends object>(group: G): FunctionsOf<G> {
  return Object.fromEntries(Object.entries(group).filter(([, value]) => typeof value === 'function')) as FunctionsOf<G>;
}

export const COMMANDS = {
  ...commandsOf(acl),
  ...commandsOf(arrays),
  ...commandsOf(bitmaps),
  ...commandsOf(bless),
  ...commandsOf(cluster),
  ...commandsOf(clusterSlots),
  ...commandsOf(commandInfo),
  ...commandsOf(commandLog),
  ...commandsOf(config),
  ...commandsOf(connection),
  ...commandsOf(functions),
  ...commandsOf(geo),
  ...commandsOf(hashes),
  ...commandsOf(hotkeys),
  ...commandsOf(hyperloglog),
  ...commandsOf(keys),
  ...commandsOf(latency),
  ...commandsOf(lists),
  ...commandsOf(memory),
  ...commandsOf(moduleGroup),
  ...commandsOf(pubsub),
  ...commandsOf(scripting),
  ...commandsOf(sentinel),
  ...commandsOf(server),
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

/** Commands that make sense on many connections too. HOTKEYS does not: what one server collects, another does not know. */
export type SharedCommands = Omit<Commands, keyof typeof hotkeys>;
export const SHARED_COMMANDS: SharedCommands = Object.fromEntries(
  Object.entries(COMMANDS).filter(([name]) => !(name in hotkeys)),
) as SharedCommands;

export const ALIASES = {
  ...acl.aliases,
  ...arrays.aliases,
  ...bitmaps.aliases,
  ...bless.aliases,
  ...cluster.aliases,
  ...clusterSlots.aliases,
  ...commandInfo.aliases,
  ...commandLog.aliases,
  ...config.aliases,
  ...connection.aliases,
  ...functions.aliases,
  ...geo.aliases,
  ...hashes.aliases,
  ...hotkeys.aliases,
  ...keys.aliases,
  ...latency.aliases,
  ...lists.aliases,
  ...memory.aliases,
  ...moduleGroup.aliases,
  ...pubsub.aliases,
  ...scripting.aliases,
  ...sentinel.aliases,
  ...server.aliases,
  ...sets.aliases,
  ...sortedSets.aliases,
  ...streamGroups.aliases,
  ...streamPending.aliases,
  ...streams.aliases,
  ...strings.aliases,
  ...vectorSets.aliases,
};
export type Aliases = typeof ALIASES;
