/** Flags, first key, last key, step: as `COMMAND INFO` gives them. */
export type CommandRow = readonly [flags: number, first: number, last: number, step: number];
