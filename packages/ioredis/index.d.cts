export * from 'redkeep/ioredis';
export { default } from 'redkeep/ioredis';
