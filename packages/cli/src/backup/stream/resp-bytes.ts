/** Bytes that structure RESP, as replication streams and append-only files have them. */
export const CR = 13;
export const LF = 10;
export const HASH = 35;
export const DOLLAR = 36;
export const STAR = 42;
