/** Names of what clients, clusters and pipelines offer each other, out of applications' way. */
export const CORE = Symbol('core');
/** Runs one command of a bound method. */
export const RUN = Symbol('run');
/** What a pipeline sends its commands to. */
export const TARGET = Symbol('target');
/** Options that commands are sent with. */
export const CALL_OPTIONS = Symbol('callOptions');
/** Resolves when commands can be sent; undefined when they can now. */
export const READY = Symbol('ready');
