/**
 * Refusals after which a server has run nothing of a command: it can be sent again, here or elsewhere.
 *
 * They are the servers' own words, whole. A code word is not enough: a script can answer with any after it has written
 * something, and must not run twice.
 */
import type { ErrorReply } from '../errors.js';

const NOT_READY = [
  /^LOADING \w+ is loading the dataset in memory$/,
  /^MASTERDOWN Link with MASTER is down(?: and replica-serve-stale-data is set to 'no'\.|, replica-serve-stale-data is set to 'no' and 'allow-stale' flag is not set on the script\.)$/,
  /^BUSY \w+ is busy running a (?:module command\.|script\. You can only call (?:SCRIPT|FUNCTION) KILL or SHUTDOWN NOSAVE\.)$/,
];
/** A replica lets no write through, in a script neither, where the server adds the place of the first it refused. */
const DEMOTED = [
  /^READONLY You can't write against a read only replica\.(?: script: \S+, on @\w+:\d+\.)?$/,
  /^READONLY Can not run script with write flag on readonly replica$/,
];
const NOT_SERVED = [
  /^TRYAGAIN Multiple keys request during rehashing of slot$/,
  /^CLUSTERDOWN (?:Hash slot not served|The cluster is down(?: and only accepts read commands)?)$/,
  // Of a command that waited when its node became a replica. CLIENT UNBLOCK has other words, and means the caller.
  /^UNBLOCKED force unblock from blocking operation, instance state changed \(master -> replica\?\)$/,
];

const matches = (words: readonly RegExp[], { serverMessage }: ErrorReply) =>
  words.some((one) => one.test(serverMessage));

/** The server is not ready to run any command, and will run this one later. */
export function isNotReady(error: ErrorReply): boolean {
  return error.code === 'REDKEEP_SERVER_NOT_READY' && matches(NOT_READY, error);
}

/** The server that was thought to be the primary is a replica. */
export function isDemoted(error: ErrorReply): boolean {
  return matches(DEMOTED, error);
}

/** A node of a cluster does not serve the slot at the moment. For MOVED and ASK see `parseRedirect`. */
export function isNotServed(error: ErrorReply): boolean {
  return matches(NOT_SERVED, error);
}
