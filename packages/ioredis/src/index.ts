/** Redkeep's ioredis shapes under a name of their own, for npm aliases and overrides. Exports only. */
export * from 'redkeep/ioredis';
export { default } from 'redkeep/ioredis';
