import type { EventName } from './events.js';

/** Commands whose use, or whose attempt, is an event. Names as in `INFO commandstats`. */
export const watchedCommands: Readonly<Record<string, EventName>> = {
  ...all('configuration-changed', 'config|set'),
  ...all('users-changed', 'acl|setuser acl|deluser acl|load'),
  ...all('modules-changed', 'module|load module|loadex module|unload'),
  ...all('code-loaded', 'function|load function|restore function|flush function|delete script|load'),
  ...all('data-destroyed', 'flushall flushdb swapdb'),
  ...all('debug-command', 'debug debug|sleep debug|segfault debug|object debug|set-active-expire'),
  ...all('monitor-session', 'monitor'),
  ...all('clients-paused', 'client|pause'),
  ...all('topology-changed', 'slaveof replicaof failover cluster|meet cluster|forget cluster|reset cluster|failover'),
  ...all('topology-changed', 'cluster|replicate cluster|setslot cluster|addslots cluster|delslots'),
  ...all('evidence-erased', 'config|resetstat slowlog|reset latency|reset commandlog|reset'),
  ...all('data-copied', 'migrate'),
};

/** Commands that serve to carry data away, and how many a minute are unusual however many are usual. */
export const extractionCommands: Readonly<Record<string, number>> = {
  keys: 1,
  dump: 10,
  scan: 200,
  randomkey: 60,
  restore: 10,
  'debug|object': 1,
};

function all(event: EventName, commands: string): Record<string, EventName> {
  return Object.fromEntries(commands.split(' ').map((command) => [command, event]));
}
