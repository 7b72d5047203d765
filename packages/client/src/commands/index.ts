/** All commands by their camelCase names, and the upper-case names that are not just these in capitals. */
import * as connection from './connection.js';
import * as keys from './keys.js';
import * as strings from './strings.js';

const { aliases: connectionAliases, ...connectionCommands } = connection;
const { aliases: keyAliases, pushScanOptions: _, ...keyCommands } = keys;

export const COMMANDS = { ...connectionCommands, ...keyCommands, ...strings };
export type Commands = typeof COMMANDS;

export const ALIASES = { ...connectionAliases, ...keyAliases };
export type Aliases = typeof ALIASES;
